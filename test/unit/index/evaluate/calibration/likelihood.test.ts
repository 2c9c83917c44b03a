import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  fitLikelihood,
  isotonic,
  qualityBuckets,
} from '../../../../../index/evaluate/calibration/likelihood.js'
import type { ComparedPairs, PairScores } from '../../../../../index/evaluate/calibration/pair-scores.js'
import { reliabilityOf } from '../../../../../index/evaluate/calibration/reliability.js'
import { logRatioAt, matchProbability } from '../../../../../index/search/match-probability.js'
import { gaussian } from '../../../../../pipeline/common/seeded-random.js'
import type { Calibration } from '../../../../../pipeline/models/packs/pack.js'
import { seededRandom } from '../../../../support/random.js'

const people = 400

/** Normally distributed scores for pairs of this number of people. */
function normalPairs(
  count: number,
  [mean, deviation]: readonly [number, number],
  quality: number,
  seed: number,
): PairScores {
  const random = seededRandom(seed)
  return {
    scores: Float32Array.from({ length: count }, () => mean + deviation * gaussian(random)),
    qualities: new Float32Array(count).fill(quality),
    a: Int32Array.from({ length: count }, () => Math.floor(random() * people)),
    b: Int32Array.from({ length: count }, () => Math.floor(random() * people)),
    weights: new Float32Array(count).fill(1),
  }
}

function joined(a: PairScores, b: PairScores): PairScores {
  const both = (of: 'scores' | 'qualities' | 'weights') => Float32Array.from([...a[of], ...b[of]])
  const numbers = (of: 'a' | 'b') => Int32Array.from([...a[of], ...b[of]])
  return {
    ...{ scores: both('scores'), qualities: both('qualities'), weights: both('weights') },
    ...{ a: numbers('a'), b: numbers('b') },
  }
}

/** Good images: mated scores around 0.6, non-mated around 0. Poor images: around 0.35 and 0.1. */
const good = { mated: [0.6, 0.12], nonMated: [0, 0.1], quality: 0.8 } as const
const poor = { mated: [0.35, 0.14], nonMated: [0.1, 0.12], quality: 0.3 } as const

function drawn(seed: number): ComparedPairs {
  const ofKind = (kind: 'mated' | 'nonMated', count: number) =>
    joined(
      normalPairs(count, good[kind], good.quality, seed + (kind === 'mated' ? 1 : 2)),
      normalPairs(count, poor[kind], poor.quality, seed + (kind === 'mated' ? 3 : 4)),
    )
  return { mated: ofKind('mated', 4000), nonMated: ofKind('nonMated', 150_000) }
}

const logNormal = (x: number, [mean, deviation]: readonly [number, number]) =>
  -Math.log(deviation) - ((x - mean) / deviation) ** 2 / 2
const trueLogRatio = (score: number, of: typeof good | typeof poor) =>
  logNormal(score, of.mated) - logNormal(score, of.nonMated)

const likelihood = fitLikelihood(drawn(10), [0.5, 2])
const calibration: Calibration = { threshold: 0.4, falseAcceptRate: 1e-3, likelihood }

describe('log-likelihood ratios', () => {
  it('match the distributions of the scores, by quality', () => {
    for (const [of, scores] of [
      [good, [0.2, 0.25, 0.3, 0.35]],
      [poor, [0.15, 0.2, 0.3, 0.4, 0.45]],
    ] as const)
      for (const score of scores) {
        const table = likelihood[of === poor ? 0 : 1]?.logRatios ?? []
        const [fitted, truth] = [logRatioAt(table, score), trueLogRatio(score, of)]
        assert.ok(Math.abs(fitted - truth) < 0.6, `${of.quality}, ${score}: ${fitted}, not ${truth}`)
      }
  })

  it('never fall with the score, and claim no more than the number of people can show', () => {
    const mostClaimed = Math.log((people * people) / 2) + 2
    for (const { logRatios } of likelihood) {
      for (const [i, [, ratio]] of logRatios.entries())
        assert.ok(ratio >= (logRatios[i - 1]?.[1] ?? -Infinity))
      assert.ok((logRatios.at(-1)?.[1] ?? 99) < mostClaimed)
    }
  })

  it('give probabilities by Bayes that match the true ones', () => {
    const prior = { appearances: 1, tracks: 100 }
    for (const score of [0.2, 0.25, 0.3]) {
      const odds = Math.exp(trueLogRatio(score, good)) / 100
      const given = matchProbability(calibration, { score, quality: 0.8 }, prior) ?? NaN
      assert.ok(Math.abs(given - odds / (1 + odds)) < 0.1, `${score}: ${given}, not ${odds / (1 + odds)}`)
    }
  })
})

describe('reliability', () => {
  const everyone = new Float64Array(people).fill(1)
  const prior = { appearances: 1, tracks: 100 }
  const fresh = drawn(50)

  it('confirms calibrated probabilities on pairs that were not used for them', () => {
    for (const bin of reliabilityOf(fresh, calibration, prior, everyone))
      if (bin.mated > 30) assert.ok(Math.abs(bin.given - bin.true) < 0.12, JSON.stringify(bin))
  })

  it('shows probabilities that are too high', () => {
    const tooSure = likelihood.map((bucket) => ({
      ...bucket,
      logRatios: bucket.logRatios.map(([score, ratio]) => [score, ratio + 3] as const),
    }))
    const bins = reliabilityOf(fresh, { ...calibration, likelihood: tooSure }, prior, everyone)
    const middle = bins.filter(({ from, to }) => from >= 0.3 && to <= 0.9)
    assert.ok(middle.length > 0 && middle.every((bin) => bin.given > bin.true + 0.2))
  })

  it('counts each pair in one bin, with mated pairs weighted by the prior', () => {
    const bins = reliabilityOf(fresh, calibration, prior, everyone)
    const sum = (of: 'mated' | 'nonMated') => bins.reduce((total, bin) => total + bin[of], 0)
    assert.deepEqual([sum('mated'), sum('nonMated')], [8000, 300_000])
    const weight = bins.reduce((total, bin) => total + bin.weight, 0)
    assert.ok(Math.abs(weight - 1.01) < 1e-6)
  })
})

describe('isotonic regression', () => {
  it('pools falling values by weight, as computed by hand', () => {
    assert.deepEqual(isotonic([1, 3, 2, 4], [1, 1, 1, 1]), [1, 2.5, 2.5, 4])
    assert.deepEqual(isotonic([5, 1], [1, 3]), [2, 2])
    assert.deepEqual(isotonic([3, 2, 1], [1, 1, 1]), [2, 2, 2])
    assert.deepEqual(isotonic([1, 2, 3], [1, 1, 1]), [1, 2, 3])
  })
})

describe('quality buckets', () => {
  it('have the same number of mated pairs, and the last one has no upper limit', () => {
    const qualities = Float32Array.from({ length: 300 }, (_, i) => (i + 0.5) / 300)
    const pairs = { ...normalPairs(300, [0, 1], 0, 1), qualities }
    assert.deepEqual(qualityBuckets(pairs, 3), [0.35, 0.65, 2])
    assert.deepEqual(qualityBuckets({ ...pairs, qualities: qualities.fill(0.5) }, 3), [0.5, 2])
  })
})
