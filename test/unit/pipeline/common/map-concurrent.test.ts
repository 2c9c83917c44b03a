import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { mapInFlight } from '../../../../pipeline/common/map-concurrent.js'

/** Maps delays to themselves; counts how many are under way. */
function counting() {
  let now = 0
  const seen = { most: 0, begun: 0 }
  const map = async (delayMs: number) => {
    seen.begun++
    seen.most = Math.max(seen.most, ++now)
    await setTimeout(delayMs)
    now--
    return delayMs
  }
  return { map, seen }
}

describe('mapInFlight', () => {
  it('keeps the order, whatever is done first', async () => {
    const { map, seen } = counting()
    assert.deepEqual(await mapInFlight([30, 1, 20, 1, 5], 3, map), [30, 1, 20, 1, 5])
    assert.equal(seen.most, 3)
  })

  it('begins each item after the one before with a limit of 1', async () => {
    const { map, seen } = counting()
    assert.deepEqual(await mapInFlight([3, 1, 2], 1, map), [3, 1, 2])
    assert.equal(seen.most, 1)
  })

  it('begins nothing more after a failure', async () => {
    const { map, seen } = counting()
    const failing = async (delayMs: number) => {
      if (delayMs === 0) throw new Error('no')
      return map(delayMs)
    }
    await assert.rejects(mapInFlight([5, 0, 1, 1, 1], 2, failing), /no/)
    await setTimeout(20)
    assert.equal(seen.begun, 1)
  })

  it('of nothing makes nothing', async () => {
    assert.deepEqual(await mapInFlight([], 4, counting().map), [])
  })
})
