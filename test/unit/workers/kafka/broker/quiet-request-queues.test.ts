import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import requestQueueClass, { type RequestQueue } from 'kafkajs/src/network/requestQueue/index.js'
import { quietRequestQueues } from '../../../../../workers/kafka/broker/quiet-request-queues.js'

/** A connection's queue after an answer of the broker. Returns how often it looked whether requests wait, in 50 ms. */
async function looksOf(pending: readonly unknown[], throttledUntil: number): Promise<number> {
  let looks = 0
  const queue: RequestQueue = {
    ...{ pending, throttledUntil, throttleCheckTimeoutId: null },
    checkPendingRequests() {
      looks++
      this.scheduleCheckPendingRequests()
    },
    scheduleCheckPendingRequests: requestQueueClass.prototype.scheduleCheckPendingRequests,
  }
  queue.scheduleCheckPendingRequests()
  await pause(50)
  clearTimeout(queue.throttleCheckTimeoutId ?? undefined)
  return looks
}

describe('request queues of kafkajs', () => {
  it('look only while requests wait, or while the broker has told them to slow down', async () => {
    quietRequestQueues()
    assert.equal(await looksOf([], -1), 0)
    assert.ok((await looksOf(['a request'], -1)) > 0)
    assert.equal(await looksOf([], Date.now() + 20), 1)
  })
})
