import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import { CameoError } from '../../../../../pipeline/common/errors.js'
import type { Publisher } from '../../../../../workers/kafka/broker/client.js'
import type { OutMessage } from '../../../../../workers/kafka/broker/out-messages.js'
import { createRetryingPublisher } from '../../../../../workers/kafka/broker/retrying-publisher.js'

const messages: readonly OutMessage[] = [{ topic: 't', key: 'k', value: Uint8Array.of(1) }]

const closed = () => new kafkajs.KafkaJSConnectionError('Closed connection')
/** The error of kafkajs when its own retries end within another retry. */
const exhausted = () => {
  const inner = new kafkajs.KafkaJSNumberOfRetriesExceeded(closed(), { retryCount: 5, retryTime: 300 })
  return new kafkajs.KafkaJSNumberOfRetriesExceeded(inner, { retryCount: 0, retryTime: 300 })
}

/** Fails with each of the errors, then accepts messages. With `stuck` it never answers. */
function broker(errors: readonly Error[], stuck = false) {
  const left = [...errors]
  const taken: OutMessage[] = []
  const publisher: Publisher = {
    async send(batch) {
      if (stuck) await new Promise(() => undefined)
      const error = left.shift()
      if (error !== undefined) throw error
      await pause(1)
      taken.push(...batch)
    },
    disconnect: () => Promise.resolve(),
  }
  return { publisher, taken, left }
}

function retrying(publisher: Publisher, longAfterMs = 60_000) {
  const said: string[] = []
  const stop = new AbortController()
  const made = createRetryingPublisher(publisher, {
    signal: stop.signal,
    onAway: () => said.push('away'),
    onBack: () => said.push('back'),
    ...{ againAfterMs: 5, longAfterMs },
  })
  return { made, said, stop }
}

describe('a publisher that outlives a broker', () => {
  it('sends failed messages again, and reports the failure once for all waiting sends', async () => {
    const { publisher, taken } = broker([closed(), exhausted(), closed(), closed()])
    const { made, said } = retrying(publisher)
    await Promise.all([made.send(messages), made.send(messages)])
    assert.equal(taken.length, 2)
    assert.equal(said.filter((word) => word === 'away').length, 1)
    assert.equal(said[0], 'away')
    assert.equal(said.at(-1), 'back')
  })

  it('reports nothing if all sends succeed', async () => {
    const { publisher, taken } = broker([])
    const { made, said } = retrying(publisher)
    await made.send(messages)
    assert.deepEqual([taken, said], [messages, []])
  })

  it('fails at once on permanent errors: a refused user, a message that is too large, a bug', async () => {
    const tooLarge = { type: 'MESSAGE_TOO_LARGE', code: 10, retriable: false, message: 'too large' }
    for (const error of [
      new kafkajs.KafkaJSNonRetriableError('refused'),
      new kafkajs.KafkaJSProtocolError(Object.assign(new Error('too large'), tooLarge)),
      Object.assign(new kafkajs.KafkaJSConnectionError('x'), { code: 'SELF_SIGNED_CERT_IN_CHAIN' }),
      new TypeError('a bug'),
    ]) {
      const { publisher, taken } = broker([error])
      const { made, said } = retrying(publisher)
      await assert.rejects(made.send(messages), error)
      assert.deepEqual([taken, said], [[], []])
    }
  })

  it('ends when asked to, during a pause or while the broker does not answer; reports a silent broker after a while', async () => {
    for (const { publisher } of [broker(Array.from({ length: 1000 }, closed)), broker([], true)]) {
      const { made, said, stop } = retrying(publisher, 10)
      const sending = made.send(messages)
      setTimeout(() => stop.abort(), 40)
      await assert.rejects(sending, (error) => error instanceof CameoError && error.code === 'INTERRUPTED')
      assert.deepEqual(said, ['away'])
    }
  })
})
