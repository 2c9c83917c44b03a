import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import pino from 'pino'
import { CameoError } from '../../../../../../pipeline/common/errors.js'
import type { OutMessage } from '../../../../../../workers/kafka/broker/out-messages.js'
import { attemptWork } from '../../../../../../workers/kafka/stages/shared/stage-worker.js'
import { decodeDeadLetter } from '../../../../../../workers/kafka/messages/schemas.js'
import { createMetrics } from '../../../../../../workers/service/metrics.js'

const original = Buffer.from('the message')
const uri = 'https://host/a.mp4?signature=secret'
const key = Buffer.from(`${uri}#2`)
const message = { topic: 'test.jobs', partition: 3, offset: '7', key, value: original }

let faults: CameoError[] = []
let sent: OutMessage[] = []
let whenGivenUp = (): readonly OutMessage[] => []

/** Works on a message, with short pauses. `failures` are thrown one after the other. */
async function attempt(...failures: readonly Error[]) {
  faults = []
  sent = []
  const logged: string[] = []
  let tries = 0
  await attemptWork(
    {
      connection: { ...{ brokers: [], clientId: 'test', prefix: 'test' }, tls: undefined, sasl: undefined },
      publisher: {
        send: (messages) => Promise.resolve(void sent.push(...messages)),
        disconnect: () => Promise.resolve(),
      },
      log: pino({}, { write: (line: string) => void logged.push(line) }),
      metrics: createMetrics('faces'),
    },
    {
      ...{ stage: 'faces', message, signal: new AbortController().signal, firstPauseMs: 1 },
      work() {
        const failure = failures[tries++]
        return failure === undefined ? Promise.resolve() : Promise.reject(failure)
      },
      whenGivenUp: () => whenGivenUp(),
      about: () => ({ uri }),
      onFault: (error) => faults.push(error),
    },
  )
  return { tries, logged, letters: sent.map(({ value }) => decodeDeadLetter(value)) }
}

const transient = () => new CameoError('CLIP_FETCH_FAILED', 'the server is away')

describe('a message’s work', () => {
  it('is retried if that may help, and is done when it succeeds', async () => {
    const { tries, letters } = await attempt(transient(), transient())
    assert.deepEqual([tries, letters], [3, []])
  })

  it('ends in the dead letters after four attempts, with the message and the reason', async () => {
    const { tries, letters } = await attempt(...Array.from({ length: 9 }, transient))
    assert.deepEqual([tries, letters.length], [4, 1])
    const [letter] = letters
    assert.deepEqual(letter?.failure, { code: 'CLIP_FETCH_FAILED', message: 'the server is away' })
    assert.deepEqual([letter.attempts, letter.uri, letter.offset], [4, uri, '7'])
    assert.deepEqual(Buffer.from(letter.original ?? []), original)
  })

  it('fails at once on a permanent error', async () => {
    const { tries, letters } = await attempt(new CameoError('CLIP_EMPTY', 'nothing in it'))
    assert.deepEqual([tries, letters[0]?.failure.code], [1, 'CLIP_EMPTY'])
  })

  it('a message that cannot be described still goes to the dead letters', async () => {
    whenGivenUp = () => assert.fail('it cannot be written')
    const { letters } = await attempt(new CameoError('MESSAGE_INVALID', 'odd'))
    whenGivenUp = () => []
    assert.deepEqual(
      letters.map(({ failure }) => failure.code),
      ['MESSAGE_INVALID'],
    )
  })

  it('an unexpected error blocks nothing: the message goes to the dead letters', async () => {
    const { tries, letters } = await attempt(...Array.from({ length: 9 }, () => new RangeError('odd length')))
    assert.deepEqual([tries, letters[0]?.failure.code], [4, 'MESSAGE_FAILED'])
    assert.match(letters[0]?.failure.message ?? '', /odd length/)
  })

  it('an error of the worker is reported to it, and the message stays in the queue for other workers', async () => {
    const missing = new CameoError('FFMPEG_MISSING', 'there is no ffmpeg')
    await assert.rejects(attempt(missing), missing)
    assert.deepEqual([faults, sent], [[missing], []])
  })

  it('log lines name the clip without the signature of its address', async () => {
    const { logged } = await attempt(transient(), new CameoError('CLIP_EMPTY', 'nothing in it'))
    assert.equal(logged.length, 2)
    for (const line of logged) {
      assert.ok(line.includes('"key":"https://host/a.mp4#2","uri":"https://host/a.mp4"'), line)
      assert.ok(!line.includes('secret'), line)
    }
  })

  it('an error of the broker does not fail the message: the caller tries again', async () => {
    const away = Object.assign(new Error('away'), { name: 'KafkaJSConnectionError' })
    await assert.rejects(attempt(away), /away/)
  })
})
