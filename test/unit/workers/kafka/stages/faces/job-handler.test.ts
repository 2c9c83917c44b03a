import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createClipAccess } from '../../../../../../workers/remote-clips/clip-access.js'
import type { OutMessage } from '../../../../../../workers/kafka/broker/out-messages.js'
import { JobHandler } from '../../../../../../workers/kafka/stages/faces/job-handler.js'
import {
  decodeDeadLetter,
  decodeEmbeddings,
  encodeMessage,
} from '../../../../../../workers/kafka/messages/schemas.js'
import { createSilentLog } from '../../../../../../workers/service/log.js'
import { createMetrics } from '../../../../../../workers/service/metrics.js'
import { temporaryDir } from '../../../../../support/cameo.js'
import { good, recipeWith, source } from '../../../../../support/described.js'

const plan = good(0, { segments: 2, pass: 'first' }).flatMap((message) =>
  message.kind === 'closing' ? [message.plan] : [],
)[0]
assert.ok(plan !== undefined)
const job = encodeMessage({ v: 1, kind: 'segment', recipe: recipeWith(), source, plan, segment: 1 })

/** The messages published for a job with this many deaths. Three are too many. */
async function published(value: Buffer, deaths: number): Promise<OutMessage[]> {
  const sent: OutMessage[] = []
  const connection = { ...{ brokers: [], clientId: 'test', prefix: 'test' }, tls: undefined, sasl: undefined }
  const handler = new JobHandler({
    context: {
      ...{ connection, log: createSilentLog(), metrics: createMetrics('faces') },
      publisher: {
        send: (messages) => Promise.resolve(void sent.push(...messages)),
        disconnect: () => Promise.resolve(),
      },
    },
    pools: { borrow: () => assert.fail('models were asked for'), stop: () => Promise.resolve() },
    access: createClipAccess({
      rules: { roots: [], hosts: new Set() },
      ...{ scratchDir: temporaryDir(), scratchBytes: 0 },
    }),
    ...{ threads: 1, maxDeaths: 3, onFatal: (error) => assert.fail(String(error)) },
  })
  const message = { topic: 'test.jobs', partition: 0, offset: '7', key: null, value }
  await handler.handle(message, new AbortController().signal, deaths)
  return sent
}

const lettersOf = (sent: readonly OutMessage[]) =>
  sent.flatMap(({ topic, value }) => (topic === 'test.dead-letters' ? [decodeDeadLetter(value)] : []))

describe('a job over which workers died', () => {
  it('goes to the dead letters before any work starts, and reports its segment as failed', async () => {
    const sent = await published(job, 3)
    assert.deepEqual(
      lettersOf(sent).map(({ failure, uri }) => [failure.code, uri]),
      [['CLIP_ENDS_WORKERS', source.uri]],
    )
    const [givenUp] = sent.flatMap(({ topic, value }) =>
      topic === 'test.embeddings' ? [decodeEmbeddings(value)] : [],
    )
    assert.ok(givenUp?.kind === 'given-up')
    assert.deepEqual(givenUp.segments, [{ index: 1, startS: 600 }])
  })

  it('is not even read if one more worker died while it reported the failure', async () => {
    for (const value of [job, Buffer.from('no message')]) {
      const sent = await published(value, 4)
      assert.equal(sent.length, 1)
      const [letter] = lettersOf(sent)
      assert.equal(letter?.failure.code, 'CLIP_ENDS_WORKERS')
      assert.deepEqual(Buffer.from(letter.original ?? []), value)
    }
  })
})
