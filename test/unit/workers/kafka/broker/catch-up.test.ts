import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CatchUp } from '../../../../../workers/kafka/broker/catch-up.js'

/** Whether it has caught up by now. */
async function hasCaughtUp({ caughtUp }: CatchUp): Promise<boolean> {
  return Promise.race([caughtUp.then(() => true), new Promise<boolean>((no) => setImmediate(no, false))])
}

describe('CatchUp', () => {
  it('has caught up at once with an empty topic', async () => {
    assert.equal(await hasCaughtUp(new CatchUp([])), true)
  })

  it('has caught up once every partition is read to its end at the start', async () => {
    const progress = new CatchUp([[0, 5n], [3, 2n]]) // prettier-ignore
    progress.noteRead(0, 4n)
    progress.noteRead(3, 9n)
    progress.noteRead(7, 9n)
    assert.equal(await hasCaughtUp(progress), false)
    progress.noteRead(0, 5n)
    assert.equal(await hasCaughtUp(progress), true)
  })
})
