import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { barOf, marksOf } from '../../../../../workers/http/page/src/parts/timeline-layout.js'

describe('the layout of a timeline', () => {
  it('draws a stretch in proportion to the clip', () => {
    assert.deepEqual(barOf({ startS: 25, endS: 50 }, 100, { widthPx: 400 }), { leftPx: 100, widthPx: 100 })
  })

  it('draws a short stretch wide enough to be hit, and never beyond the end of the line', () => {
    assert.deepEqual(barOf({ startS: 10, endS: 10.1 }, 1000, { widthPx: 400, leastPx: 24 }), { leftPx: 4, widthPx: 24 }) // prettier-ignore
    assert.deepEqual(barOf({ startS: 999, endS: 1000 }, 1000, { widthPx: 400, leastPx: 24 }), { leftPx: 376, widthPx: 24 }) // prettier-ignore
  })

  it('draws what ends after the clip up to its end', () => {
    const { leftPx, widthPx } = barOf({ startS: 90, endS: 120 }, 100, { widthPx: 100 })
    assert.equal(leftPx + widthPx, 100)
  })

  it('marks round times that leave room between each other and before the end', () => {
    assert.deepEqual(marksOf(100, 700), [0, 10, 20, 30, 40, 50, 60, 70, 80, 90])
    for (const [durationS, widthPx] of [
      [7, 300],
      [4000, 350],
      [90_000, 1200],
    ] as const) {
      // prettier-ignore
      const placesPx = marksOf(durationS, widthPx).map((timeS) => (timeS / durationS) * widthPx)
      const gapsPx = placesPx.map((place, i) => (placesPx[i + 1] ?? widthPx) - place)
      assert.ok(Math.min(...gapsPx) >= 69.9, `${durationS} s in ${widthPx} px: ${gapsPx.join(' ')}`)
    }
  })

  it('marks nothing where nothing is to be drawn', () => {
    assert.deepEqual([marksOf(0, 500), marksOf(100, 0), marksOf(100, 50)], [[], [], []])
  })
})
