import type { Logger } from 'pino'
import type { CameoError } from '../../pipeline/errors.js'
import { createPublisher, type KafkaClient, type OutMessage } from './client.js'
import type { KafkaConnection } from './connection.js'
import type { Received } from './queue-consumer.js'
import { readTopic } from './topic-reader.js'
import { maxMessageBytes, topicName, type Stage } from './topics.js'
import { decodeDeadLetter, encodeMessage, failureOf, wireVersion, type DeadLetter } from './wire.js'

/** A message that a stage gives up, with all that is needed to try it again. */
export function deadLetter(
  connection: Pick<KafkaConnection, 'prefix'>,
  stage: Stage,
  { topic, partition, offset, key, value }: Received,
  error: CameoError,
  { attempts, uri }: { readonly attempts: number; readonly uri?: string | undefined },
): OutMessage {
  // What a broker took may be more than a letter can hold besides its reason.
  const fits = (key?.byteLength ?? 0) + (value?.byteLength ?? 0) <= maxMessageBytes
  return {
    topic: topicName(connection, 'dead-letters'),
    key: `${topic}/${partition}/${offset}`,
    value: encodeMessage({
      v: wireVersion,
      kind: 'dead-letter',
      ...{ stage, attempts, uri, topic, partition, offset },
      failure: failureOf(error),
      ...(fits ? { key: key ?? undefined, original: value ?? undefined } : {}),
      at: new Date().toISOString(),
    }),
  }
}

export interface ListedDeadLetter extends DeadLetter {
  /** Topic, partition and offset of the message. */
  readonly id: string
}

/** In the order in which they failed. */
export async function listDeadLetters(
  kafka: KafkaClient,
  connection: KafkaConnection,
  log: Logger,
): Promise<ListedDeadLetter[]> {
  const topic = topicName(connection, 'dead-letters')
  const letters = await readTopic({ kafka, connection, topic, log })
  return [...letters]
    .map(([id, value]) => ({ id, ...decodeDeadLetter(value) }))
    .sort((a, b) => a.at.localeCompare(b.at))
}

/**
 * Sends the original messages again and takes their letters out. Sent first: to be killed between the two does it twice,
 * which is harmless. Returns those sent.
 */
export async function retryDeadLetters(
  kafka: KafkaClient,
  connection: KafkaConnection,
  letters: readonly ListedDeadLetter[],
): Promise<void> {
  const publisher = await createPublisher(kafka)
  try {
    await publisher.send(
      letters.map(({ topic, key, original }) => ({
        topic,
        key: Buffer.from(key ?? new Uint8Array()).toString(),
        value: original ?? null,
      })),
    )
    await publisher.send(
      letters.map(({ id }) => ({ topic: topicName(connection, 'dead-letters'), key: id, value: null })),
    )
  } finally {
    await publisher.disconnect()
  }
}
