import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createEvaluationSet } from '../../../../index/evaluate/datasets/evaluation-set.js'
import type { FeatureSet } from '../../../../index/evaluate/data/feature-set.js'
import { measureRankings } from '../../../../index/evaluate/ladder/measure-rankings.js'
import type { RankedClips } from '../../../../index/evaluate/data/rankings.js'
import { meanAveragePrecision } from '../../../../index/evaluate/metrics/mean-average-precision.js'
import { reportSteps, shownClips, splitScores } from '../../../../scripts/reports/steps-report.js'

const names = ['ada 1', 'ada 2', 'bob 1', 'bob 2', 'ada 3', 'bob 3']
const features: FeatureSet = {
  columns: [{ digest: 'd', name: 'own', dimension: 1, embeddings: new Uint16Array(6).fill(1) }],
  clipNames: names,
  trackClips: Int32Array.from(names.keys()),
  firstFace: Int32Array.from([0, 1, 2, 3, 4, 5, 6]),
  qualities: new Float32Array(6).fill(1),
}
const made = createEvaluationSet({
  features,
  paths: names.map((name) => [name]),
  gallery: new Map([['ada', new Set(['ada 3'])], ['bob', new Set(['bob 3'])]]), // prettier-ignore
  test: new Map([['ada', new Set(['ada 1', 'ada 2'])], ['bob', new Set(['bob 1', 'bob 2'])]]), // prettier-ignore
})
assert.ok(made.test !== undefined)
const set = { ...made, test: made.test }

/** Ada is found. Of Bob's two clips, one is ranked below one of Ada's clips, and the other is not found. */
const ranked: RankedClips[] = [
  [{ clip: 0, score: 0.9 }, { clip: 1, score: 0.8 }, { clip: 2, score: 0.1 }],
  [{ clip: 1, score: 0.6 }, { clip: 2, score: 0.5 }, { clip: 3, score: -Infinity }],
] // prettier-ignore

const scores = measureRankings(set, set.test, ranked)
const step = {
  ...{ name: 'pooling', map: meanAveragePrecision(scores), ci95: [0, 1] as const },
  ...{ gain: undefined, note: undefined, scores, ranked },
}
const run = { title: 'A ladder', startedAt: new Date(0), durationS: 7, settings: {} }

describe('the report of some steps', () => {
  it('has one value per step for each identity', () => {
    const before = {
      ...step,
      name: 'centre',
      ranked: [[], []],
      scores: measureRankings(set, set.test, [[], []]),
    }
    const report = reportSteps(set, [before, step], run)
    assert.deepEqual(
      report.identities.map(({ identity, found, ap }) => [identity, found, ap]),
      [
        ['ada', [0, 2], [0, 1]],
        ['bob', [0, 2], [0, (1 / 2 + 2 / 3) / 2]],
      ],
    )
    assert.deepEqual([report.chosenStep, report.steps.length], ['pooling', 2])
    assert.deepEqual(
      report.precisionRecall.map(({ step: name }) => name),
      ['centre', 'pooling'],
    )
  })

  it('shows the wrong clips of the identity with the worst result', () => {
    const report = reportSteps(set, [step], run)
    assert.equal(report.worst[0]?.identity, 'bob')
    assert.deepEqual(
      report.worst[0].wrong.map(({ clip, belongsTo }) => [clip, belongsTo]),
      [['ada 2', 'ada']],
    )
    assert.deepEqual(shownClips(report), ['ada 2'])
  })

  it('leaves clips without a face out of the scores', () => {
    const { mated, nonMated } = splitScores(set, ranked)
    assert.deepEqual([mated, nonMated], [Float32Array.of(0.9, 0.8, 0.5), Float32Array.of(0.1, 0.6)])
  })

  it('refuses to run without a step', () => {
    assert.throws(() => reportSteps(set, [], run), /a ladder has steps/)
  })
})
