import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { messageOf } from '../../../pipeline/common/errors.js'
import type { EachBatchPayload, KafkaClient } from './client.js'
import { CrashCounts, type GroupCrashCounts } from './crash-counts.js'
import { joinGroup } from './group-member.js'
import type { FetchSizes, Group, GroupEvents, GroupMember } from './group.js'
import { MessageRunner, type MessageHandler } from './message-runner.js'
import { OffsetCommitter } from './offset-committer.js'
import { PartitionOffsets } from './partition-offsets.js'
import { received } from './received.js'
import { WorkQueue, type Work } from './work-queue.js'

export interface QueueOptions {
  readonly topic: string
  readonly log: Logger
  /** Number of messages handled at the same time. */
  readonly concurrency: number
  /**
   * Number of messages taken in advance. So work does not wait for the broker, and partitions are not fetched
   * for each message. This worker handles its partitions' messages in any case, and opens nothing for a
   * waiting message.
   */
  readonly ahead: number
  readonly handle: MessageHandler
  /**
   * If given, messages in work and the next ones are noted beside the group's offsets before they start.
   * `handle` receives the number of workers that died over a message. A message with deaths is handled alone.
   */
  readonly crashCounts?: {
    /** The client id of this process. No earlier process had it. */
    readonly self: string
    read(): Promise<GroupCrashCounts>
  }
  /** Called with the number of messages in work. */
  readonly onInWork: (count: number) => void
}

export interface QueueConsumerOptions extends QueueOptions {
  readonly kafka: KafkaClient
  readonly groupId: string
  readonly fetch: FetchSizes
  readonly sessionTimeoutMs: number | undefined
}

const readAgainAfterMs = 2000
const leaveWithinMs = 5000

/** Joins the group and handles the topic's messages until it is stopped. */
export async function startQueueConsumer(options: QueueConsumerOptions): Promise<QueueConsumer> {
  const { kafka, topic, groupId, log, fetch, sessionTimeoutMs } = options
  const consumer = new QueueConsumer(options)
  await consumer.join((events) =>
    joinGroup({ kafka, topic, groupId, log, fetch, sessionTimeoutMs, ...events }),
  )
  return consumer
}

/**
 * Reads a topic as a member of a consumer group. Never blocks kafkajs: it only queues fetched messages, and
 * pauses a partition when the queue is full. So heartbeats continue while a message takes long. Messages of
 * one partition are handled in parallel. Offsets are committed up to the first unfinished message, and only
 * for partitions that are still assigned. When a partition moves to another worker, its messages in work are
 * aborted.
 *
 * A message may end the process itself (memory, a crash in native code). Without crash counts it would move
 * from worker to worker for ever: see `crash-counts.ts`.
 */
export class QueueConsumer {
  readonly #options: QueueOptions
  readonly #crashes: CrashCounts
  readonly #offsets: PartitionOffsets
  readonly #queue: WorkQueue
  readonly #committer: OffsetCommitter
  readonly #runner: MessageRunner
  readonly #resumes = new Map<number, () => void>()
  #group: Group | undefined
  #member: GroupMember | undefined
  /** True when the crash counts are known. No message starts before. */
  #isInformed = false
  #isStopping = false

  constructor(options: QueueOptions) {
    const { log, concurrency, ahead, handle, crashCounts } = options
    const deathsOf = ({ message, offset }: Work) => this.#crashes.of(message.partition, offset)
    this.#options = options
    this.#crashes = new CrashCounts(crashCounts?.self ?? '')
    this.#offsets = new PartitionOffsets(crashCounts === undefined ? undefined : this.#crashes)
    this.#queue = new WorkQueue({ concurrency, ahead, isSuspect: (work) => deathsOf(work) > 0 })
    this.#committer = new OffsetCommitter({
      log,
      newCommits: () => this.#offsets.newCommits((partition) => this.#queue.offsetsToNote(partition)),
      onCommitted: (commits) => this.#offsets.setCommitted(commits),
    })
    const beginnings = {
      isNoted: ({ message, offset }: Work) => this.#offsets.isNoted(message.partition, offset),
      note: () => this.#committer.commit(),
    }
    this.#runner = new MessageRunner({
      ...{ log, handle, deathsOf },
      beginnings: crashCounts === undefined ? undefined : beginnings,
    })
  }

  async join(join: (events: GroupEvents) => Promise<GroupMember>): Promise<void> {
    this.#member = await join({
      onAssigned: (partitions, group) => this.#assign(partitions, group),
      onFetched: (batches) => {
        for (const batch of batches) this.#takeBatch(batch)
        this.#startWork()
        return Promise.resolve()
      },
    })
  }

  /** True if it is in the group and the broker answers. */
  get isHealthy(): boolean {
    return !this.#isStopping && this.#member?.isHealthy === true
  }

  /**
   * Takes no new messages, waits up to `drainMs` for those in work, returns the rest to the group and leaves
   * it.
   */
  async stop(drainMs: number): Promise<void> {
    this.#isStopping = true
    this.#committer.end()
    this.#runner.end()
    this.#queue.dropWaiting()
    await this.#drain(drainMs, 50)
    this.#queue.abortInWork()
    await this.#drain(leaveWithinMs, 20)
    this.#queue.abandonInWork()
    await this.#commitLast()
    this.#setGroup(undefined)
    await this.#member?.leave(leaveWithinMs)
  }

  #setGroup(group: Group | undefined): void {
    this.#group = group
    this.#isInformed = false
    // Without the notes of others, a commit would overwrite them.
    this.#committer.setGroup(undefined)
  }

  #assign(partitions: readonly number[], group: Group | undefined): void {
    this.#setGroup(group)
    this.#offsets.assign(partitions)
    this.#queue.keepOnly(this.#offsets.assigned)
    // kafkajs keeps partitions paused after a rebalance.
    this.#resumeAll()
    const { crashCounts } = this.#options
    if (crashCounts === undefined) this.#begin(group)
    else if (group !== undefined) void this.#inform(group, () => crashCounts.read())
  }

  async #inform(group: Group, read: () => Promise<GroupCrashCounts>): Promise<void> {
    while (this.#group === group) {
      try {
        const counts = await read()
        if (this.#group !== group) return
        this.#crashes.learn(counts)
        this.#offsets.learn(counts)
        this.#begin(group)
        void this.#committer.commit()
        return
      } catch (error) {
        this.#options.log.warn(
          { error: messageOf(error) },
          'the notes of other workers cannot be read, trying again',
        )
        await sleep(readAgainAfterMs)
      }
    }
  }

  #begin(group: Group | undefined): void {
    this.#isInformed = true
    this.#committer.setGroup(group)
    this.#startWork()
  }

  #takeBatch(payload: EachBatchPayload): void {
    const { messages, partition } = payload.batch
    // Fetched before the rebalance.
    if (!this.#offsets.assigned.has(partition)) return
    const ledger = this.#offsets.ledgerOf(partition)
    for (const message of messages) {
      if (!payload.isRunning() || payload.isStale()) break
      const offset = BigInt(message.offset)
      if (!ledger.knows(offset)) {
        if (this.#isStopping || !this.#queue.hasRoom) {
          this.#resumes.set(partition, payload.pause())
          break
        }
        ledger.take(offset)
        const { topic } = this.#options
        this.#queue.add({
          message: received(topic, partition, message),
          ...{ offset, abort: new AbortController() },
        })
      }
      payload.resolveOffset(message.offset)
    }
  }

  #startWork(): void {
    while (!this.#isStopping && this.#isInformed) {
      const work = this.#queue.begin()
      if (work === undefined) return
      void this.#run(work)
    }
  }

  async #run(work: Work): Promise<void> {
    const { partition } = work.message
    const ledger = this.#offsets.ledgerOf(partition)
    this.#options.onInWork(this.#queue.inWork)
    const isDone = await this.#runner.run(work)
    this.#queue.end(work)
    this.#options.onInWork(this.#queue.inWork)
    if (isDone && this.#offsets.isCurrent(partition, ledger)) {
      ledger.finish(work.offset)
      this.#crashes.forget(partition, work.offset)
      this.#committer.commitSoon()
    }
    this.#startWork()
    // Waits until half of the queue is empty: every fetch brings messages of all partitions.
    if (!this.#isStopping && this.#queue.isRunningLow) this.#resumeAll()
  }

  #resumeAll(): void {
    for (const resume of this.#resumes.values()) resume()
    this.#resumes.clear()
  }

  async #drain(withinMs: number, everyMs: number): Promise<void> {
    const until = Date.now() + withinMs
    while (this.#queue.inWork > 0 && Date.now() < until) await sleep(everyMs)
  }

  /** During a rebalance, brokers accept no commit. */
  async #commitLast(): Promise<void> {
    const until = Date.now() + leaveWithinMs
    const soon = sleep(leaveWithinMs, true, { ref: false })
    while (this.#offsets.assigned.size > 0 && Date.now() < until) {
      if (await Promise.race([this.#committer.commit(), soon])) return
      await sleep(100)
    }
  }
}
