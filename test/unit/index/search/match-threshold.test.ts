import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  chooseThreshold,
  weakScoreOf,
  type ThresholdRequest,
} from '../../../../index/search/match-threshold.js'
import { findPack } from '../../../../pipeline/models/packs/catalog.js'
import type { Calibration, Pack } from '../../../../pipeline/models/packs/pack.js'

/** The rate falls to a tenth every 0.1, starting with 1e-2 at 0.3. */
const calibration: Calibration = {
  ...{ threshold: 0.4, falseAcceptRate: 1e-3 },
  curve: [
    [0.3, 1e-2],
    [0.4, 1e-3],
    [0.5, 1e-4],
  ],
}
const packWith = (own: Calibration | undefined): Pack => ({ ...findPack('lite'), calibration: own })
const choose = (tracks: number, wish: ThresholdRequest = {}, own: Calibration | undefined = calibration) =>
  chooseThreshold({}, packWith(own), tracks, wish)
const near = (a: number | undefined, b: number) => assert.equal(a?.toFixed(9), b.toFixed(9))

describe('the threshold of an answer', () => {
  it('is the threshold of the models in an archive of up to a thousand tracks', () => {
    for (const tracks of [0, 1, 5, 999]) {
      const { threshold, reason, expectedFalseMatches } = choose(tracks)
      assert.deepEqual([threshold, reason], [0.4, 'models'])
      near(expectedFalseMatches, tracks * 1e-3)
    }
  })

  it('rises with the archive so that one false match is expected, and is an estimate beyond the measured range', () => {
    for (const [tracks, threshold, isEstimate] of [
      [10_000, 0.5, false],
      [31_622.7766, 0.55, true],
      [1e6, 0.7, true],
    ] as const) {
      const line = choose(tracks)
      near(line.threshold, threshold)
      near(line.expectedFalseMatches, 1)
      assert.deepEqual([line.reason, line.falseAcceptRate?.isEstimate], ['archive size', isEstimate])
    }
  })

  it('follows another number of false matches, but never falls below the threshold of the models', () => {
    near(choose(10_000, { expectFalse: 0.1 }).threshold, 0.6)
    near(choose(100, { expectFalse: 0.01 }).threshold, 0.5)
    assert.deepEqual(choose(10_000, { expectFalse: 1e6 }).threshold, 0.4)
  })

  it('is the given threshold, for any archive', () => {
    const line = choose(1e6, { minScore: 0.3 })
    assert.deepEqual([line.threshold, line.reason], [0.3, 'given'])
    near(line.expectedFalseMatches, 1e4)
    assert.equal(choose(1e6, { minScore: 0 }).threshold, 0)
  })

  it('is the threshold of the models without a measured curve, or with a head', () => {
    const bare = { threshold: 0.4, falseAcceptRate: 1e-3 }
    assert.deepEqual([choose(1e6, {}, bare).threshold, choose(1e6, {}, bare).reason], [0.4, 'models'])
    const withHead = chooseThreshold({ headFile: 'head.onnx' }, packWith(calibration), 1e6, {})
    assert.deepEqual(withHead, { threshold: 0.4, reason: 'models' })
  })

  it('is a guess if nothing was measured', () => {
    assert.deepEqual(chooseThreshold({}, packWith(undefined), 1e6, {}), {
      threshold: 0.4,
      reason: 'uncalibrated',
    })
  })
})

describe('weak hits', () => {
  it('go down to the score that 1 % of the tracks of other people reach, for any threshold', () => {
    for (const threshold of [0.4, 0.7]) near(weakScoreOf(calibration, threshold), 0.3)
    assert.equal(weakScoreOf(calibration, 0.2), 0.2)
  })

  it('go slightly below the threshold if nothing was measured', () => {
    near(weakScoreOf(undefined, 0.4), 0.3)
  })
})
