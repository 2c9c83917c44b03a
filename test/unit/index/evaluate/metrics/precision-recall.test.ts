import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  hitRanks,
  precisionRecall,
  recallLevels,
} from '../../../../../index/evaluate/metrics/precision-recall.js'
import { seededRandom } from '../../../../support/random.js'

const near = (actual: readonly number[], expected: readonly number[]) => {
  assert.equal(actual.length, expected.length)
  for (const [i, value] of actual.entries())
    assert.ok(Math.abs(value - expected[i]!) < 1e-12, `${i}: ${value}, not ${expected[i]}`)
}

describe('precision and recall', () => {
  it('names the ranks of positives from 1', () => {
    assert.deepEqual(hitRanks(['a', 'b', 'c', 'd'], new Set(['d', 'a', 'z'])), [1, 4])
  })

  it('interpolates as computed by hand', () => {
    // Hits at 1, 3 and 4 of four positives: precision 1, 2/3, 3/4 at recall 1/4, 2/4, 3/4; 3/4 lifts 2/3; none at 1.
    near(
      precisionRecall([{ hitRanks: [1, 3, 4], positives: 4 }], [0, 0.25, 0.26, 0.5, 0.75, 0.76, 1]),
      [1, 1, 0.75, 0.75, 0.75, 0, 0],
    )
  })

  it('averages over identities, including one without hits', () => {
    const identities = [
      { hitRanks: [1], positives: 1 },
      { hitRanks: [2], positives: 1 },
      { hitRanks: [], positives: 5 },
    ]
    near(precisionRecall(identities, [0, 0.5, 1]), [0.5, 0.5, 0.5])
  })

  it('reaches a recall level exactly, in spite of the rounding of level × positives', () => {
    // 0.07 × 100 is 7.000000000000001 in floating point: seven hits reach it nevertheless.
    const ranks = [1, 2, 3, 4, 5, 6, 7]
    near(precisionRecall([{ hitRanks: ranks, positives: 100 }], [0.07, 0.08]), [1, 0])
  })

  it('is 0 without identities', () => {
    assert.deepEqual(new Set(precisionRecall([])), new Set([0]))
  })

  it('agrees with the definition: the best precision at any rank of at least the recall', () => {
    const random = seededRandom(3)
    const rankings = Array.from({ length: 30 }, () => Array.from({ length: 60 }, () => random() < 0.3))
    const positives = rankings.map((hits) => hits.filter(Boolean).length + Math.floor(random() * 5) + 1)
    const expected = recallLevels.map((level) => {
      const precisions = rankings.map((hits, i) => {
        let best = 0
        hits.forEach((_, rank) => {
          const found = hits.slice(0, rank + 1).filter(Boolean).length
          if (found * 100 >= Math.round(level * 100) * positives[i]!)
            best = Math.max(best, found / (rank + 1))
        })
        return best
      })
      return precisions.reduce((a, b) => a + b) / precisions.length
    })
    const ranked = rankings.map((hits, i) => ({
      hitRanks: hits.flatMap((hit, rank) => (hit ? [rank + 1] : [])),
      positives: positives[i]!,
    }))
    near(precisionRecall(ranked), expected)
  })
})
