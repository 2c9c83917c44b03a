import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { boundarySlot, slotOf } from '../../../../pipeline/decode/sampling.js'

describe('sampling slots', () => {
  const at = (fps: number) => ({ kind: 'fps', fps }) as const

  it('put a time rounded down to milliseconds into the slot that it was rounded from', () => {
    assert.equal(slotOf(0.333, at(3)), 1)
    assert.equal(slotOf(0.667, at(3)), 2)
    assert.equal(slotOf(0.332, at(3)), 0)
  })

  it('put a boundary k/fps into slot k, whatever its rounding', () => {
    for (const fps of [1, 3, 4, 7, 25, 29.97]) {
      for (const k of [1, 3, 599, 2400, 17_999]) {
        assert.equal(boundarySlot(k / fps, at(fps)), k)
        assert.equal(slotOf(k / fps, at(fps)), k)
      }
    }
    assert.equal(boundarySlot(Infinity, at(4)), Infinity)
  })

  it('give each key frame its own slot, in order of time', () => {
    const keyframes = { kind: 'keyframes' } as const
    assert.ok(slotOf(1.04, keyframes) > slotOf(1, keyframes))
    assert.ok(slotOf(10, keyframes) >= boundarySlot(10, keyframes))
    assert.ok(slotOf(9.99, keyframes) < boundarySlot(10, keyframes))
  })
})
