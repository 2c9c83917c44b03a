import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { logRatioAt, matchProbability } from '../../../../index/search/match-probability.js'
import type { Calibration } from '../../../../pipeline/models/packs/pack.js'

const calibration: Calibration = {
  ...{ threshold: 0.4, falseAcceptRate: 1e-3 },
  likelihood: [
    { belowQuality: 0.5, logRatios: [[0.2, -1], [0.6, 3]] }, // prettier-ignore
    { belowQuality: 1, logRatios: [[0.2, -4], [0.4, 0], [0.6, Math.log(999)]] }, // prettier-ignore
  ],
}
const probability = (score: number, quality: number, appearances = 1, tracks = 1) =>
  matchProbability(calibration, { score, quality }, { appearances, tracks })

describe('the probability of a match', () => {
  it('is the prior if the score is equally likely for one person and for two', () => {
    assert.equal(probability(0.4, 0.9), 0.5)
    assert.equal(probability(0.4, 0.9, 1, 3), 0.25)
    assert.equal(probability(0.4, 0.9, 2, 6), 0.25)
    assert.equal(probability(0.4, 0.9, 3, 1)?.toFixed(9), '0.750000000')
  })

  it('is the prior odds times the likelihood ratio, by Bayes', () => {
    assert.equal(probability(0.6, 0.9)?.toFixed(9), '0.999000000')
    assert.equal(probability(0.6, 0.9, 1, 999)?.toFixed(9), '0.500000000')
  })

  it('uses the table of its quality, and the last table for the best quality', () => {
    assert.equal(probability(0.3, 0.49)?.toFixed(9), '0.500000000')
    assert.ok((probability(0.3, 0.5) ?? 1) < 0.2)
    assert.equal(probability(0.4, 1), 0.5)
  })

  it('is unknown if no densities were calibrated', () => {
    const prior = { appearances: 1, tracks: 1 }
    assert.equal(
      matchProbability({ threshold: 0.4, falseAcceptRate: 1e-3 }, { score: 1, quality: 1 }, prior),
      undefined,
    )
    assert.equal(matchProbability(undefined, { score: 1, quality: 1 }, prior), undefined)
  })
})

describe('a log-likelihood ratio', () => {
  const table = [[0, -2], [0.5, 0], [1, 6]] as const // prettier-ignore

  it('is linear between the scores of the table, and constant beyond its ends', () => {
    assert.deepEqual(
      [-1, 0, 0.25, 0.5, 0.75, 1, 2].map((score) => logRatioAt(table, score)),
      [-2, -2, -1, 0, 3, 6, 6],
    )
  })
})
