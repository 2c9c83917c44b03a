import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { clockOf } from '../../../../pipeline/decode/clock.js'

/** One mark every 1000 bytes. */
const marks = (timesS: readonly number[], clock = 0) =>
  timesS.map((timeS, n) => ({ clock, timeS, atByte: n * 1000 }))

const wrapS = 2 ** 33 / 90_000

describe('the clock of an MPEG stream', () => {
  it('is steady in one recording, across its wrap and across a stretch without marks', () => {
    assert.deepEqual(clockOf(marks([0, 1, 2, 3])), { isSteady: true, spanS: 3 })
    const { isSteady, spanS } = clockOf(marks([wrapS - 2, wrapS - 1, 0, 1]))
    assert.ok(isSteady && Math.abs(spanS - 3) < 1e-6)
    const hole = [...marks([0, 1, 2, 3]), { clock: 0, timeS: 60, atByte: 60_000 }]
    assert.equal(clockOf(hole).isSteady, true)
  })

  it('is not steady if it jumps back, or ahead by more than the bytes between can hold', () => {
    assert.equal(clockOf(marks([0, 1, 2, 3, 0, 1])).isSteady, false)
    assert.equal(clockOf(marks([0, 1, 2, 3, 2000, 2001])).isSteady, false)
  })

  it('is separate for each of several programs', () => {
    const both = [...marks([0, 1, 2], 256), ...marks([500, 501, 502], 512)]
    assert.deepEqual(clockOf(both.sort((a, b) => a.atByte - b.atByte)), { isSteady: true, spanS: 2 })
  })
})
