import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  crossValidate,
  defaultRate,
  fitCalibration,
  heldReliability,
} from '../../../../../index/evaluate/calibration/fit.js'
import type { ComparedPairs, PairScores } from '../../../../../index/evaluate/calibration/pair-scores.js'
import { falseAcceptRateAt, thresholdOfRate } from '../../../../../index/search/expected-false-matches.js'
import { parsePack } from '../../../../../pipeline/models/packs/pack.js'
import { findPack } from '../../../../../pipeline/models/packs/catalog.js'
import { gaussian } from '../../../../../pipeline/common/seeded-random.js'
import { seededRandom } from '../../../../support/random.js'

const people = 300
const random = seededRandom(5)

/** One score for every pair of people, of an exponential distribution from 0 on: e^(−score / scale) of them reach a score. */
function strangers(scale: number): PairScores {
  const rows: [number, number, number][] = []
  for (let a = 0; a < people; a++)
    for (let b = 0; b < a; b++) rows.push([Math.min(0.99, -scale * Math.log(1 - random())), a, b])
  return columns(rows)
}

/** Twenty scores of each person with themselves. */
const samePerson = () =>
  columns(
    Array.from({ length: 20 * people }, (_, i) => [0.6 + 0.1 * gaussian(random), i % people, i % people]),
  )

const columns = (rows: readonly (readonly [number, number, number])[]): PairScores => ({
  scores: Float32Array.from(rows, ([score]) => score),
  qualities: Float32Array.from(rows, () => random()),
  a: Int32Array.from(rows, ([, a]) => a),
  b: Int32Array.from(rows, ([, , b]) => b),
  weights: new Float32Array(rows.length).fill(1),
})

const scale = 0.04
const pairs = (): ComparedPairs => ({ mated: samePerson(), nonMated: strangers(scale) })
const kinds = { photoTrack: pairs(), photoPhoto: pairs() }
const samples = Array.from({ length: people }, (_, i) => (i % 3 === 0 ? 12 : 1))
const calibration = fitCalibration(kinds, people)

describe('a calibration', () => {
  it('gives the rates of the distribution of the scores', () => {
    for (const rate of [0.1, 1e-2, 1e-3, 1e-4]) {
      const truth = Math.exp(-(thresholdOfRate(calibration, rate) ?? 1) / scale)
      assert.ok(truth / rate > 0.7 && truth / rate < 1.4, `${truth} is promised as ${rate}`)
    }
    assert.equal(calibration.threshold, thresholdOfRate(calibration, defaultRate))
  })

  it('extrapolates its tail, and its interval contains the true rate', () => {
    const score = scale * Math.log(1e6)
    const { rate = 0, isEstimate, interval = [0, 0] } = falseAcceptRateAt(calibration, score) ?? {}
    assert.equal(isEstimate, true)
    assert.ok(rate > 1e-7 && rate < 1e-5, `${rate}, not 1e-6`)
    assert.ok(interval[0] < 1e-6 && interval[1] > 1e-6, interval.join(' to '))
  })

  it('is valid in a pack', () => {
    const pack = { ...findPack('lite'), calibration: JSON.parse(JSON.stringify(calibration)) as unknown }
    assert.deepEqual(parsePack(pack, 'mine.json').calibration, calibration)
  })

  it('from one half of the people is right for the other', () => {
    const held = crossValidate(kinds, samples, [1e-2, 1e-3])
    assert.equal(held.length, 20)
    for (const promised of [1e-2, 1e-3]) {
      const own = held.filter((each) => each.promised === promised)
      for (const of of ['photoTrack', 'photoPhoto'] as const) {
        const ratio = own.reduce((sum, each) => sum + each[of], 0) / own.length / promised
        assert.ok(ratio > 0.7 && ratio < 1.4, `${of}: ${ratio} × ${promised}`)
      }
    }
  })

  it('gives true probabilities for people who were not used for it', () => {
    for (const half of heldReliability(kinds, samples, 100))
      for (const bin of half)
        if (bin.mated > 100 && bin.nonMated > 100)
          assert.ok(Math.abs(bin.given - bin.true) < 0.15, JSON.stringify(bin))
  })
})
