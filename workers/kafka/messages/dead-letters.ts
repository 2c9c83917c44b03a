import type { Logger } from 'pino'
import { CameoError } from '../../../pipeline/common/errors.js'
import { createPublisher, type KafkaClient } from '../broker/client.js'
import type { OutMessage } from '../broker/out-messages.js'
import type { KafkaConnection } from '../broker/connection.js'
import type { Received } from '../broker/received.js'
import { readTopic } from '../broker/topic-reader.js'
import { maxMessageBytes, topicName, type Stage } from '../broker/topics.js'
import {
  decodeDeadLetter,
  decodeDescriptors,
  encodeMessage,
  failureOf,
  jobKey,
  versionFor,
  wireVersion,
  type DeadLetter,
} from './schemas.js'

/** A message that a stage could not process, with everything needed to try it again. */
export function deadLetter(
  connection: Pick<KafkaConnection, 'prefix'>,
  stage: Stage,
  { topic, partition, offset, key, value }: Received,
  error: CameoError,
  { attempts, uri }: { readonly attempts: number; readonly uri?: string | undefined },
): OutMessage {
  // A message of the size that brokers accept may leave no room for the reason.
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

export interface DeadLetters {
  /** In the order of failure. */
  readonly letters: readonly ListedDeadLetter[]
  /** Keys of messages that are not valid letters. */
  readonly unreadable: readonly string[]
}

export async function readDeadLetters(
  kafka: KafkaClient,
  connection: KafkaConnection,
  log: Logger,
): Promise<DeadLetters> {
  const topic = topicName(connection, 'dead-letters')
  const letters: ListedDeadLetter[] = []
  const unreadable: string[] = []
  for (const [id, value] of await readTopic({ kafka, connection, topic, log }))
    if (value !== null)
      try {
        letters.push({ id, ...decodeDeadLetter(value) })
      } catch (error) {
        if (!(error instanceof CameoError)) throw error
        unreadable.push(id)
      }
  return { letters: letters.sort((a, b) => a.at.localeCompare(b.at)), unreadable }
}

/**
 * Sends the original messages again and then deletes their letters. A process killed between the two steps
 * sends a message twice, which is harmless.
 */
export async function retryDeadLetters(
  kafka: KafkaClient,
  connection: KafkaConnection,
  letters: readonly ListedDeadLetter[],
): Promise<void> {
  const publisher = await createPublisher(kafka)
  try {
    // A clip with several letters needs only one job.
    const jobs = new Map<string, OutMessage>()
    const originals: OutMessage[] = []
    for (const letter of letters) {
      const job = jobAgain(connection, letter)
      if (job === undefined) originals.push(originalOf(letter))
      else jobs.set(job.key, job)
    }
    await publisher.send([...originals, ...jobs.values()])
    await publisher.send(
      letters.map(({ id }) => ({ topic: topicName(connection, 'dead-letters'), key: id, value: null })),
    )
  } finally {
    await publisher.disconnect()
  }
}

function originalOf({ topic, key, original }: ListedDeadLetter): OutMessage {
  return { topic, key: Buffer.from(key ?? new Uint8Array()).toString(), value: original ?? null }
}

/** A message that an archive refused is only a part of its segment, so the whole clip is tried again. */
function jobAgain(
  connection: Pick<KafkaConnection, 'prefix'>,
  { stage, original }: ListedDeadLetter,
): OutMessage | undefined {
  if (stage !== 'index' || original === undefined) return undefined
  try {
    const { recipe, source } = decodeDescriptors(original)
    return {
      topic: topicName(connection, 'jobs'),
      key: jobKey(source.uri, 0),
      value: encodeMessage({ v: versionFor(recipe), kind: 'clip', recipe, source }),
    }
  } catch (error) {
    if (!(error instanceof CameoError)) throw error
    return undefined
  }
}
