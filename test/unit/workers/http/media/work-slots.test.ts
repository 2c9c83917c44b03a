import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { WorkSlots } from '../../../../../workers/http/media/work-slots.js'
import { refusedWith } from '../../../../support/refused-with.js'

const never = new AbortController().signal

describe('places for work', () => {
  it('lets further work wait in order, and gives it the places that become free', async () => {
    const slots = new WorkSlots(2, 60_000)
    const [first, second] = [await slots.take(never), await slots.take(never)]
    const order: string[] = []
    const third = slots.take(never).then((back) => (order.push('third'), back))
    const fourth = slots.take(never).then((back) => (order.push('fourth'), back))
    second()
    second()
    const backOfThird = await third
    assert.deepEqual([order, slots.running], [['third'], 2])
    first()
    const backOfFourth = await fourth
    assert.deepEqual([order, slots.running], [['third', 'fourth'], 2])
    backOfThird()
    backOfFourth()
    assert.equal(slots.running, 0)
  })

  it('refuses work for which no place becomes free in time', async () => {
    const slots = new WorkSlots(1, 20)
    const back = await slots.take(never)
    await assert.rejects(slots.take(never), refusedWith('SERVER_BUSY', /too many/))
    back()
    await slots.take(never)
  })

  it('forgets work that is not wanted any more', async () => {
    const slots = new WorkSlots(1, 60_000)
    const back = await slots.take(never)
    const gone = new AbortController()
    const waiting = slots.take(gone.signal)
    gone.abort()
    await assert.rejects(waiting, refusedWith('INTERRUPTED', /gone/))
    back()
    assert.equal(slots.running, 0)
    await assert.rejects(slots.take(gone.signal), refusedWith('INTERRUPTED', /gone/))
  })
})
