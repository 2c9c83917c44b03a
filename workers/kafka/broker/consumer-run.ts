import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../../pipeline/common/errors.js'
import { whenSettled, type Consumer, type EachBatchPayload } from './client.js'
import type { Group, GroupEvents, GroupMemberOptions } from './group.js'

export interface ConsumerRunEvents {
  /** The broker answered. */
  readonly onBeat: () => void
  /** The consumer crashed after it had started, and kafkajs does not restart it. */
  readonly onCrash: () => void
}

/** Kafka recommends at most a third of the session's timeout. */
const longestHeartbeatMs = 3000

/** Number of partitions of a fetch that are passed on together. The others follow. */
const partitionsOfFetch = 64

/** One kafkajs consumer, from its start until it crashes or disconnects. */
export class ConsumerRun {
  readonly #options: GroupMemberOptions
  readonly #events: ConsumerRunEvents
  readonly #consumer: Consumer
  #isRunning = false
  #refusal: Error | undefined

  constructor(options: GroupMemberOptions, sessionTimeoutMs: number, events: ConsumerRunEvents) {
    const { kafka, groupId, fetch } = options
    this.#options = options
    this.#events = events
    this.#consumer = kafka.consumer({
      groupId,
      sessionTimeout: sessionTimeoutMs,
      heartbeatInterval: Math.min(longestHeartbeatMs, sessionTimeoutMs / 3),
      rebalanceTimeout: 60_000,
      allowAutoTopicCreation: false,
      maxBytesPerPartition: fetch.maxBytes,
      minBytes: fetch.minBytes,
      maxWaitTimeInMs: fetch.maxWaitMs,
    })
  }

  /** Rejects if the group does not accept the consumer. */
  async start(): Promise<void> {
    const { topic, onFetched } = this.#options
    this.#listen()
    await this.#consumer.connect()
    await whenSettled(() => this.#consumer.subscribe({ topic, fromBeginning: true }))
    await this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: partitionsOfFetch,
      eachBatch: gathered(onFetched),
    })
    // kafkajs's run() resolves in any case.
    if (this.#refusal !== undefined) throw this.#refusal
    this.#isRunning = true
  }

  /** Leaving a group may take a minute if its coordinator is unavailable. Waits at most `ms`. */
  async disconnect(ms: number): Promise<void> {
    await Promise.race([
      this.#consumer.disconnect().catch(() => undefined),
      sleep(ms, undefined, { ref: false }),
    ])
  }

  #listen(): void {
    const { topic, groupId, log } = this.#options
    const { HEARTBEAT, GROUP_JOIN, CRASH } = this.#consumer.events
    this.#consumer.on(HEARTBEAT, () => this.#events.onBeat())
    this.#consumer.on(GROUP_JOIN, ({ payload }) => {
      this.#events.onBeat()
      const partitions = payload.memberAssignment[topic] ?? []
      this.#options.onAssigned(partitions, this.#group())
      log.info({ group: groupId, partitions: partitions.length }, 'joined the group')
    })
    this.#consumer.on(CRASH, ({ payload }) => this.#noteCrash(payload))
  }

  #noteCrash({ error, restart }: { readonly error: Error; readonly restart: boolean }): void {
    this.#options.log.error({ error: messageOf(error) }, 'the consumer crashed')
    // kafkajs restarts the consumer itself.
    if (restart) return
    if (this.#isRunning) this.#events.onCrash()
    else this.#refusal = error
  }

  /** Creates a new object after each rebalance. */
  #group(): Group {
    const { topic } = this.#options
    return {
      seek: (partition, offset) => this.#consumer.seek({ topic, partition, offset: `${offset}` }),
      commit: (offsets) =>
        this.#consumer.commitOffsets(
          offsets.map(({ partition, next, note = null }) => ({
            ...{ topic, partition, offset: `${next}` },
            metadata: note,
          })),
        ),
    }
  }
}

/** Collects the partitions of a fetch. kafkajs passes them one by one, in the same turn of the event loop. */
function gathered(onFetched: GroupEvents['onFetched']): (payload: EachBatchPayload) => Promise<void> {
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
