import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { comparePairs, type PairScores } from '../../../../../index/evaluate/calibration/pair-scores.js'
import { halvesOf, resampledPeople } from '../../../../../index/evaluate/calibration/people.js'
import {
  mixedCurve,
  rateCurve,
  rateOf,
  tailedRateOf,
  tailScaleAbove,
  thresholdAt,
  withTail,
} from '../../../../../index/evaluate/calibration/rate-curve.js'
import { seededRandom } from '../../../../support/random.js'

const pairs = (
  rows: readonly (readonly [score: number, a: number, b: number, weight: number])[],
): PairScores => ({
  scores: Float32Array.from(rows, ([score]) => score),
  qualities: new Float32Array(rows.length),
  a: Int32Array.from(rows, ([, a]) => a),
  b: Int32Array.from(rows, ([, , b]) => b),
  weights: Float32Array.from(rows, ([, , , weight]) => weight),
})
const near = (a: number, b: number, within: number) => assert.ok(Math.abs(a - b) <= within, `${a}, not ${b}`)

describe('labelled pairs', () => {
  const sample = (person: string, x: number, source: string) => ({
    ...{ person, quality: x, sources: [source] },
    descriptor: Float32Array.of(x, Math.sqrt(1 - x * x)),
  })

  it('are compared once each, never with samples of the same photo, and weighted by people', () => {
    const photos = [sample('Ada', 1, 'a1'), sample('Ada', 0.5, 'a2'), sample('Bo', 0, 'b1')]
    const own = comparePairs(photos, photos, ['Ada', 'Bo'])
    assert.deepEqual([own.mated.scores.length, own.nonMated.scores.length], [1, 2])
    near(own.mated.scores[0] ?? 0, 0.5, 1e-6)
    assert.deepEqual([...own.nonMated.qualities], [0, 0])
    for (const weight of own.nonMated.weights) near(weight, 0.5, 1e-6)

    const tracks = [sample('Ada', 0.8, 'a1')]
    const crossed = comparePairs(photos, tracks, ['Ada', 'Bo'])
    assert.deepEqual([crossed.mated.scores.length, crossed.nonMated.scores.length], [1, 1])
    assert.deepEqual([crossed.nonMated.a[0], crossed.nonMated.b[0]], [1, 0])
  })
})

describe('a rate curve', () => {
  const four = pairs([
    [0.1, 0, 1, 1],
    [0.3, 0, 2, 2],
    [0.5, 1, 2, 1],
  ])

  it('is the weighted share of the pairs that reach a score', () => {
    const curve = rateCurve(four)
    assert.deepEqual(
      [-1, 0.1, 0.2, 0.4, 0.6].map((t) => rateOf(curve, t)),
      [1, 1, 0.75, 0.25, 0],
    )
    near(thresholdAt(curve, 0.75), 0.101, 1e-9)
    near(thresholdAt(curve, 0.5), 0.301, 1e-9)
    assert.deepEqual(
      rateOf(
        mixedCurve([
          [curve, 0.8],
          [rateCurve(pairs([[0.9, 0, 1, 5]])), 0.2],
        ]),
        0.4,
      ),
      0.4,
    )
  })

  it('for a part of the people counts only their pairs, and counts a person drawn twice twice', () => {
    const curve = rateCurve(four, Float64Array.of(2, 0, 1))
    assert.deepEqual(
      [0.2, 0.4].map((t) => rateOf(curve, t)),
      [1, 0],
    )
    near(rateOf(rateCurve(four, Float64Array.of(2, 1, 1)), 0.2), 5 / 7, 1e-12)
  })

  it('has the tail of the exponential distribution of its scores', () => {
    const random = seededRandom(1)
    const scale = 0.05
    const scores = Array.from({ length: 400_000 }, () => -0.3 - scale * Math.log(1 - random()))
    const curve = rateCurve(pairs(scores.map((score, i) => [score, i, i + 1, 1] as const)))
    near(tailScaleAbove(curve, thresholdAt(curve, 1e-2)), scale, 0.002)
    const tailed = withTail(curve, 1e-4)
    // The rate is 1e-7 if the excess is scale × ln(1e7).
    const far = -0.3 + scale * Math.log(1e7)
    near(Math.log10(tailedRateOf(tailed, far)), -7, 0.35)
    assert.equal(tailedRateOf(tailed, -0.5), 1)
  })
})

describe('people', () => {
  it('are split into disjoint halves with a similar number of samples', () => {
    const samples = [20, 1, 1, 18, 1, 1, 1, 1]
    const [one, other] = halvesOf(samples, 7)
    assert.deepEqual(
      samples.map((_, i) => (one[i] ?? 0) + (other[i] ?? 0)),
      samples.map(() => 1),
    )
    assert.equal((one[0] ?? 0) + (one[3] ?? 0), 1)
    assert.notDeepEqual(halvesOf(samples, 8)[0], one)
  })

  it('are drawn with replacement, in the same number', () => {
    const counts = resampledPeople(50, seededRandom(1))
    assert.equal(
      counts.reduce((sum, count) => sum + count),
      50,
    )
    assert.ok(counts.some((count) => count === 0) && counts.some((count) => count > 1))
  })
})
