import { createHash } from 'node:crypto'
import type { Archive } from '../../../../index/archive/open-archive.js'
import { translateSqliteErrors } from '../../../../index/store/database.js'
import type { Inbox } from '../../../../index/store/inbox.js'
import { inTransaction } from '../../../../index/store/transaction.js'
import { CameoError } from '../../../../pipeline/common/errors.js'
import type { HeadFile } from '../../../../pipeline/describe/head/head-file.js'
import { withoutSecrets } from '../../../remote-clips/clip-access.js'
import { applyDescriptors, type Applied } from './apply-descriptors.js'
import type { KafkaMessage } from '../../broker/client.js'
import { deadLetter } from '../../messages/dead-letters.js'
import type { WorkerContext } from '../shared/stage-worker.js'
import { topicName } from '../../broker/topics.js'

export interface DescriptorWriterOptions {
  readonly context: Omit<WorkerContext, 'kafka' | 'publisher'>
  readonly archive: Archive
  readonly inbox: Inbox
  readonly reprocess: boolean
  readonly head: HeadFile | undefined
}

/** Messages of one partition, in order. */
export interface PartitionBatch {
  readonly partition: number
  readonly messages: readonly KafkaMessage[]
  /** The end of the partition when they were fetched. */
  readonly highWatermark: string
}

/**
 * Writes messages of the topic of descriptors into the archive, with the position up to which they are
 * written.
 */
export interface DescriptorWriter {
  /** The offset after the last message written; undefined before the first. */
  nextOf(partition: number): bigint | undefined
  /**
   * Skips messages that are already written, and writes the rest as one transaction. The first read after a
   * start must include the last written message, because it is compared. Messages that cannot be applied are
   * stored for the dead letters.
   * @throws TOPIC_CHANGED, and SQLite errors as `translateSqliteErrors` translates them
   */
  write(batches: readonly PartitionBatch[]): void
}

interface Written {
  readonly partition: number
  readonly messages: number
  readonly applied: Applied
  readonly seconds: number
}

export function createDescriptorWriter(options: DescriptorWriterOptions): DescriptorWriter {
  const { archive, inbox, reprocess, head } = options
  const { connection, log, metrics } = options.context
  const topic = topicName(connection, 'descriptors')

  /**
   * The messages that are not written yet. If a topic was created again, it ends before the position or has
   * another message before it.
   */
  function fresh({ partition, messages, highWatermark }: PartitionBatch): readonly KafkaMessage[] {
    const position = inbox.position(topic, partition)
    if (position === undefined) return messages
    const { next, lastDigest } = position
    const last = messages.find(({ offset }) => BigInt(offset) === next - 1n)
    if (BigInt(highWatermark) < next || (last !== undefined && digestOf(last) !== lastDigest))
      throw topicChanged(archive, topic)
    return messages.filter(({ offset }) => BigInt(offset) >= next)
  }

  function writeBatch(batch: PartitionBatch): Written | undefined {
    const { partition } = batch
    const messages = fresh(batch)
    const last = messages.at(-1)
    if (last === undefined) return undefined
    const started = performance.now()
    const applied = applyDescriptors(messages, { archive, inbox, connection, reprocess, head })
    for (const { index, uri, error } of applied.refused) {
      const message = messages[index]
      if (message === undefined) continue
      const about = { attempts: 1, uri }
      const letter = deadLetter(connection, 'index', { topic, partition, ...message }, error, about)
      inbox.toPublish(letter.topic, letter.key, letter.value ?? new Uint8Array())
    }
    inbox.setPosition(topic, partition, { next: BigInt(last.offset) + 1n, lastDigest: digestOf(last) })
    const seconds = (performance.now() - started) / 1000
    return { partition, messages: messages.length, applied, seconds }
  }

  function tell({ partition, messages, applied, seconds }: Written): void {
    const { refused, segments, finished } = applied
    for (let i = 0; i < messages; i++)
      metrics.finished(i < refused.length ? 'failed' : 'done', seconds / messages)
    for (const { error, uri, clipId } of refused) {
      const about = { uri: uri === undefined ? undefined : withoutSecrets(uri), clipId }
      log.error({ ...about, code: error.code, error: error.message }, 'given up')
    }
    for (const { uri, clipId, state, tracks } of finished)
      log.info({ clipId, uri: withoutSecrets(uri), tracks }, state)
    log.debug({ partition, messages, segments, seconds }, 'stored')
  }

  return {
    nextOf: (partition) => inbox.position(topic, partition)?.next,
    write(batches) {
      const written = translateSqliteErrors(archive.dir, () =>
        inTransaction(archive.database, () => batches.map(writeBatch)),
      )
      for (const batch of written) if (batch !== undefined) tell(batch)
    },
  }
}

export function topicChanged(archive: Archive, topic: string): CameoError {
  return new CameoError(
    'TOPIC_CHANGED',
    `the topic ${topic} is not the one that the archive ${archive.dir} was fed from: it was deleted and created again, or it lost messages; ` +
      'rebuild the archive from the current topic',
    { details: { remedy: 'replay-archive', archive: archive.dir, changed: 'topic' } },
  )
}

function digestOf({ key, value, timestamp }: KafkaMessage): string {
  return createHash('sha256')
    .update(key ?? '')
    .update('\0')
    .update(value ?? '')
    .update(timestamp)
    .digest('hex')
}
