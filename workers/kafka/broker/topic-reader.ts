import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { messageOf } from '../../../pipeline/common/errors.js'
import { CatchUp } from './catch-up.js'
import {
  whenSettled,
  withAdmin,
  type EachBatchPayload,
  type KafkaClient,
  type KafkaMessage,
} from './client.js'
import { joinGroup } from './group-member.js'
import type { KafkaConnection } from './connection.js'

export interface TopicReader {
  /** Resolves when everything that was in the topic at the start has been passed on. */
  readonly caughtUp: Promise<void>
  stop(): Promise<void>
}

export interface TopicReaderOptions {
  readonly kafka: KafkaClient
  readonly connection: KafkaConnection
  readonly topic: string
  readonly log: Logger
  readonly onMessage: (message: KafkaMessage, partition: number) => void
}

/** If a broker is unavailable, leaving may take forever. */
const leaveWithinMs = 5000

/**
 * Passes on every message of a topic from its beginning, and new ones as they arrive. Uses its own consumer
 * group, which is deleted at the end. It commits nothing, and other readers receive every message too.
 */
export async function startTopicReader(options: TopicReaderOptions): Promise<TopicReader> {
  const { kafka, connection, topic, log } = options
  const groupId = `${connection.prefix}.reader.${randomUUID()}`
  const ends = await withAdmin(kafka, connection, (admin) =>
    whenSettled(() => admin.fetchTopicOffsets(topic)),
  )
  const catchUp = new CatchUp(
    ends.filter(({ high, low }) => high !== low).map(({ partition, high }) => [partition, BigInt(high)]),
  )

  /** The next offset of each partition after a rebalance. */
  const next = new Map<number, bigint>()

  function tell(payload: EachBatchPayload): void {
    const { batch } = payload
    for (const message of batch.messages)
      if (BigInt(message.offset) >= (next.get(batch.partition) ?? 0n))
        options.onMessage(message, batch.partition)
    payload.resolveOffset(batch.lastOffset())
    const read = BigInt(batch.lastOffset()) + 1n
    next.set(batch.partition, read)
    catchUp.noteRead(batch.partition, read)
  }

  const member = await joinGroup({
    ...{ kafka, topic, groupId, log, sessionTimeoutMs: connection.sessionTimeoutMs },
    fetch: { maxBytes: 1024 * 1024, minBytes: 1, maxWaitMs: 500 },
    onAssigned(partitions, group) {
      for (const partition of partitions) group?.seek(partition, next.get(partition) ?? 0n)
    },
    onFetched: (batches) => {
      for (const payload of batches) tell(payload)
      return Promise.resolve()
    },
  })
  return {
    caughtUp: catchUp.caughtUp,
    async stop() {
      await member.leave(leaveWithinMs)
      const deleting = withAdmin(kafka, connection, (admin) => admin.deleteGroups([groupId])).catch(
        (error: unknown) => log.debug({ error: messageOf(error) }, `the group ${groupId} expires by itself`),
      )
      await Promise.race([deleting, sleep(leaveWithinMs, undefined, { ref: false })])
    },
  }
}

/**
 * All messages of a topic at this moment. For a compacted topic the newest message of each key; null if the
 * key was deleted recently.
 */
export async function readTopic(
  options: Omit<TopicReaderOptions, 'onMessage'>,
): Promise<Map<string, Buffer | null>> {
  const newest = new Map<string, Buffer | null>()
  const reader = await startTopicReader({
    ...options,
    onMessage({ key, value }) {
      newest.set(key?.toString() ?? '', value)
    },
  })
  await reader.caughtUp
  await reader.stop()
  return newest
}
