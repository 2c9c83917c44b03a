import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as next } from 'node:timers/promises'
import { Turns } from '../../../../workers/library/turns.js'

describe('turns', () => {
  it('runs one after the other, in the order of the calls', async () => {
    const turns = new Turns()
    const said: string[] = []
    const work = (name: string) => async () => {
      said.push(`${name} begins`)
      await next()
      said.push(`${name} ends`)
      return name
    }
    assert.deepEqual(await Promise.all([turns.run(work('a')), turns.run(work('b'))]), ['a', 'b'])
    assert.deepEqual(said, ['a begins', 'a ends', 'b begins', 'b ends'])
  })

  it('continues after failed work, and only that call rejects', async () => {
    const turns = new Turns()
    const failed = turns.run(() => Promise.reject(new Error('broken')))
    const after = turns.run(() => Promise.resolve('fine'))
    await assert.rejects(failed, /broken/)
    assert.equal(await after, 'fine')
  })
})
