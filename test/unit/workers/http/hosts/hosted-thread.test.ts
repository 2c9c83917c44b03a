import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Worker } from 'node:worker_threads'
import { HostedThread } from '../../../../../workers/http/hosts/hosted-thread.js'

interface Message {
  readonly kind: 'ask' | 'die' | 'close'
  readonly id?: number
}

/** Answers each number, until it is told to die or to close. */
const code = `
  const { parentPort } = require('node:worker_threads')
  parentPort.on('message', ({ kind, id }) => {
    if (kind === 'ask') parentPort.postMessage(id)
    else if (kind === 'die') throw new Error('out of luck')
    else parentPort.close()
  })`

function hosted() {
  let starts = 0
  const create = () => {
    starts++
    return new Worker(code, { eval: true })
  }
  const thread: HostedThread<
    Message,
    number,
    { readonly resolve: (id: number) => void; readonly reject: (error: unknown) => void }
  > = new HostedThread('the test', create, (id) => thread.answered(id)?.resolve(id))
  const send = (kind: Message['kind']) =>
    new Promise<number>((resolve, reject) => void thread.call({ resolve, reject }, (id) => ({ kind, id })))
  return { send, close: () => thread.close({ kind: 'close' }), starts: () => starts }
}

describe('a thread that answers calls', () => {
  it('fails its calls when it dies, and is started again by the next call', async () => {
    const { send, close, starts } = hosted()
    assert.equal(await send('ask'), 0)
    await assert.rejects(send('die'), { code: 'WORKER_DIED', message: /the test ended: out of luck/ })
    assert.equal(await send('ask'), 2)
    assert.equal(starts(), 2)
    await close()
  })

  it('takes no calls after it is closed, and is not started by that', async () => {
    const { send, close, starts } = hosted()
    await close()
    await assert.rejects(send('ask'), { code: 'INTERRUPTED' })
    assert.equal(starts(), 0)
  })
})
