import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { joinRanges, type MatchedRange } from '../../../index/search.js'
import { averagePrecision } from '../../support/map.js'

const range = (startS: number, endS: number, score = 0.5, trackId = 1): MatchedRange => ({
  startS,
  endS,
  score,
  trackId,
})

describe('ranges of a match', () => {
  it('adjacent ranges are one, named after its best track', () => {
    const joined = joinRanges([range(600, 640, 0.7, 2), range(570, 599.75, 0.6, 1), range(700, 710)])
    assert.deepEqual(joined, [range(570, 640, 0.7, 2), range(700, 710)])
  })

  it('a range within another adds nothing to its length', () => {
    assert.deepEqual(joinRanges([range(0, 50, 0.4), range(10, 20, 0.9, 3)]), [range(0, 50, 0.9, 3)])
  })

  it('ranges more than a second apart stay apart', () => {
    assert.equal(joinRanges([range(0, 1), range(2.01, 3)]).length, 2)
    assert.equal(joinRanges([range(0, 1), range(2, 3)]).length, 1)
  })
})

describe('average precision', () => {
  it('equals a table worked by hand', () => {
    // Hits at ranks 1 and 3 of three positives: (1/1 + 2/3) / 3.
    const precision = averagePrecision(['a', 'x', 'b', 'y'], new Set(['a', 'b', 'c']))
    assert.ok(Math.abs(precision - (1 + 2 / 3) / 3) < 1e-12)
  })
})
