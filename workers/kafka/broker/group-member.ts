import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { messageOf } from '../../../pipeline/common/errors.js'
import { whenSettled, type Consumer, type EachBatchPayload, type KafkaClient } from './client.js'

export interface GroupMemberOptions {
  readonly kafka: KafkaClient
  readonly topic: string
  readonly groupId: string
  readonly log: Logger
  readonly fetch: FetchSizes
  /** Told the partitions whenever the group is arranged anew; none when the member has left it. */
  readonly onAssigned: (partitions: readonly number[], group: Group | undefined) => void
  /**
   * Given what a fetch brought, a batch a partition. To return soon, or kafkajs sends no heartbeat. Resolves offsets itself.
   */
  readonly onFetched: (batches: readonly EachBatchPayload[]) => Promise<void>
}

/** How much a fetch brings: the more, the less often brokers are asked, which costs them and this process CPU. */
export interface FetchSizes {
  /** Of a partition, about, at most. */
  readonly maxBytes: number
  /** The broker waits until there is so much ... */
  readonly minBytes: number
  /** ... or until so much time has passed, ms. A partition that is resumed waits as long. */
  readonly maxWaitMs: number
}

/** What a member can do from the moment that it has partitions. */
export interface Group {
  seek(partition: number, offset: bigint): void
  commit(offsets: readonly PartitionCommit[]): Promise<void>
}

export interface PartitionCommit {
  readonly partition: number
  /** The offset of the first message that is not finished. */
  readonly next: bigint
  /** Kept beside the offset. */
  readonly note?: string | undefined
}

/** A member of a consumer group that lives as long as its process: it joins again whatever happens. */
export interface GroupMember {
  /** In the group, with the broker answering. */
  readonly isHealthy: boolean
  /** Leaves the group; with a broker that is away, after `ms` at the latest: the group then notices by itself. */
  leave(ms: number): Promise<void>
}

const sessionTimeoutMs = 30_000
const restartAfterMs = 3000
const leaveBeforeRestartMs = 3000

/** Handed out together; of more than these, some come after the others. */
const partitionsOfFetch = 64

/** Rejects where the group does not take the member the first time, as where the broker does not allow it. */
export async function joinGroup(options: GroupMemberOptions): Promise<GroupMember> {
  const { topic, log } = options
  let lastBeat = Date.now()
  let isLeaving = false
  let consumer = await connect()

  async function connect(): Promise<Consumer> {
    let isRunning = false
    let refusal: Error | undefined
    const made = options.kafka.consumer({
      groupId: options.groupId,
      sessionTimeout: sessionTimeoutMs,
      heartbeatInterval: 3000,
      rebalanceTimeout: 60_000,
      allowAutoTopicCreation: false,
      maxBytesPerPartition: options.fetch.maxBytes,
      minBytes: options.fetch.minBytes,
      maxWaitTimeInMs: options.fetch.maxWaitMs,
    })
    made.on(made.events.HEARTBEAT, () => {
      lastBeat = Date.now()
    })
    made.on(made.events.GROUP_JOIN, ({ payload }) => {
      lastBeat = Date.now()
      const partitions = payload.memberAssignment[topic] ?? []
      options.onAssigned(partitions, {
        seek: (partition, offset) => made.seek({ topic, partition, offset: `${offset}` }),
        commit: (offsets) =>
          made.commitOffsets(
            offsets.map(({ partition, next, note = null }) => ({
              ...{ topic, partition, offset: `${next}` },
              metadata: note,
            })),
          ),
      })
      log.info({ group: options.groupId, partitions: partitions.length }, 'joined the group')
    })
    made.on(made.events.CRASH, ({ payload }) => {
      log.error({ error: messageOf(payload.error) }, 'the consumer crashed')
      // Where kafkajs restarts it itself, that is enough.
      if (payload.restart) return
      if (isRunning) void restart()
      else refusal = payload.error
    })
    await made.connect()
    await whenSettled(() => made.subscribe({ topic, fromBeginning: true }))
    await made.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: partitionsOfFetch,
      eachBatch: gathered(options.onFetched),
    })
    // kafkajs's run() resolves in any case.
    if (refusal !== undefined) throw refusal
    isRunning = true
    return made
  }

  /** To leave a group whose coordinator is away may take a minute. */
  async function disconnect(withinMs: number): Promise<void> {
    await Promise.race([
      consumer.disconnect().catch(() => undefined),
      sleep(withinMs, undefined, { ref: false }),
    ])
  }

  async function restart(): Promise<void> {
    options.onAssigned([], undefined)
    await disconnect(leaveBeforeRestartMs)
    while (!isLeaving) {
      await sleep(restartAfterMs)
      try {
        consumer = await connect()
        return
      } catch (error) {
        log.error({ error: messageOf(error) }, 'the consumer does not start, trying again')
      }
    }
  }

  return {
    get isHealthy() {
      return !isLeaving && Date.now() - lastBeat < sessionTimeoutMs
    },
    async leave(ms) {
      isLeaving = true
      await disconnect(ms)
    },
  }
}

/** kafkajs hands the partitions of a fetch out one by one, in the same turn of the event loop. */
function gathered(onFetched: GroupMemberOptions['onFetched']): (payload: EachBatchPayload) => Promise<void> {
  let batches: EachBatchPayload[] = []
  let handling: Promise<void> | undefined

  async function handleAll(): Promise<void> {
    await Promise.resolve()
    const all = batches
    batches = []
    handling = undefined
    await onFetched(all)
  }

  return (payload) => {
    batches.push(payload)
    handling ??= handleAll()
    return handling
  }
}
