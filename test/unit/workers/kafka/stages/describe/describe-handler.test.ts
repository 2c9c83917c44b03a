import assert from 'node:assert/strict'
import { it } from 'node:test'
import { startDescriber } from '../../../../../../workers/threads/describe-handle.js'
import type { OutMessage } from '../../../../../../workers/kafka/broker/out-messages.js'
import { createDescribeHandler } from '../../../../../../workers/kafka/stages/describe/describe-handler.js'
import {
  decodeDeadLetter,
  decodeDescriptors,
  encodeMessage,
} from '../../../../../../workers/kafka/messages/schemas.js'
import { createSilentLog } from '../../../../../../workers/service/log.js'
import { createMetrics } from '../../../../../../workers/service/metrics.js'
import { good } from '../../../../../support/described.js'

/** The messages published for a part with this many tracks, each with one face of 256 values. */
async function described(tracks: number): Promise<OutMessage[]> {
  const [part] = good(0, { segments: 1, pass: 'first' })
  assert.ok(part?.kind === 'described')
  const [track] = part.tracks
  const [face] = track?.faces ?? []
  assert.ok(track !== undefined && face !== undefined)
  const wide = { ...track, faces: [{ ...face, vector: new Uint8Array(512).fill(0x38) }] }
  const value = encodeMessage({
    ...part,
    kind: 'tracks',
    tracks: Array.from({ length: tracks }, (_, number) => ({ ...wide, number })),
  })
  const sent: OutMessage[] = []
  const connection = { ...{ brokers: [], clientId: 'test', prefix: 'test' }, tls: undefined, sasl: undefined }
  const handle = createDescribeHandler({
    context: {
      ...{ connection, log: createSilentLog(), metrics: createMetrics('describe') },
      publisher: {
        send: (messages) => Promise.resolve(void sent.push(...messages)),
        disconnect: () => Promise.resolve(),
      },
    },
    describer: startDescriber({ headFile: undefined, device: { kind: 'cpu' } }),
    head: undefined,
  })
  const message = { topic: 'test.embeddings', partition: 0, offset: '7', key: null, value }
  await handle(message, new AbortController().signal)
  return sent
}

it('a part that is too large for brokers with its descriptors goes to the dead letters: brokers would refuse it for ever', async () => {
  const [whole] = await described(300)
  const message = decodeDescriptors(whole?.value ?? null)
  assert.ok(message.kind === 'described' && message.tracks.length === 300)
  const sent = await described(700)
  const letter = sent.find(({ topic }) => topic === 'test.dead-letters')
  assert.equal(decodeDeadLetter(letter?.value ?? null).failure.code, 'MESSAGE_TOO_LARGE')
  const told = sent.find(({ topic }) => topic === 'test.descriptors')
  assert.equal(decodeDescriptors(told?.value ?? null).kind, 'given-up')
})
