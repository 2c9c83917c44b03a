import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CallOrder } from '../../../../index/vectors/call-order.js'

describe('the order of calls', () => {
  it('runs changes one after the other, even if one fails', async () => {
    const order = new CallOrder()
    const told: string[] = []
    const change = (name: string, fails = false) =>
      order.change(async () => {
        told.push(`${name} begins`)
        await sleep(1)
        told.push(`${name} ends`)
        if (fails) throw new Error(name)
        return name
      })
    const [first, second] = [change('first', true), change('second')]
    await assert.rejects(first, /first/)
    assert.equal(await second, 'second')
    assert.deepEqual(told, ['first begins', 'first ends', 'second begins', 'second ends'])
  })

  it('does not let a read wait for a change', async () => {
    const order = new CallOrder()
    let isChanged = false
    const changing = order.change(async () => {
      await sleep(5)
      isChanged = true
    })
    assert.equal(await order.read(() => Promise.resolve(isChanged)), false)
    await changing
    assert.equal(await order.read(() => Promise.resolve(isChanged)), true)
  })

  it('closes after the running changes and reads, even failed ones, and then refuses others', async () => {
    const order = new CallOrder()
    const told: string[] = []
    const note = (name: string, ms: number) => async () => {
      await sleep(ms)
      told.push(name)
    }
    const changing = order.change(note('change', 4))
    const reading = order.read(note('read', 8))
    const failing = order.read(() => Promise.reject(new Error('no')))
    const closing = order.close(note('close', 0))
    await assert.rejects(
      order.read(() => Promise.resolve()),
      /closed/,
    )
    await assert.rejects(
      order.change(() => undefined),
      /closed/,
    )
    await assert.rejects(failing, /no/)
    await closing
    await order.close(note('again', 0))
    assert.deepEqual([told.slice(0, 2).sort(), told.slice(2)], [['change', 'read'], ['close']])
    await Promise.all([changing, reading])
  })
})
