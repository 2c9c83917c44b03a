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
  /** Messages handled at the same time. */
  readonly concurrency: number
  /**
   * Messages taken in advance, so that work does not wait for the broker and partitions are not fetched for each message. What a
   * partition holds is this worker's work in any case; nothing is opened for a message that waits.
   */
  readonly ahead: number
  readonly handle: MessageHandler
  /**
   * With it, what is in work or comes next is noted beside the group's offsets before it begins. `handle` is told how many workers
   * died over a message, and a message over which any died is handled alone.
   */
  readonly crashCounts?: {
    /** The client id of this process, which no process had before. */
    readonly self: string
    read(): Promise<GroupCrashCounts>
  }
  /** Told how many messages are being handled. */
  readonly onInWork: (count: number) => void
}

export interface QueueConsumerOptions extends QueueOptions {
  readonly kafka: KafkaClient
  readonly groupId: string
  readonly fetch: FetchSizes
}

const readAgainAfterMs = 2000
const leaveWithinMs = 5000

/** Joins the group and handles the topic's messages until it is stopped. */
export async function startQueueConsumer(options: QueueConsumerOptions): Promise<QueueConsumer> {
  const { kafka, topic, groupId, log, fetch } = options
  const consumer = new QueueConsumer(options)
  await consumer.join((events) => joinGroup({ kafka, topic, groupId, log, fetch, ...events }))
  return consumer
}

/**
 * Reads a topic as a member of a consumer group, and never holds up kafkajs: it only queues fetched messages and pauses a
 * partition when there is no room, so that heartbeats go on however long a message takes. Messages of one partition are
 * handled side by side; offsets are committed up to the first that is not finished, and only of partitions that are still
 * assigned. What is in work when its partition goes to another worker is aborted.
 *
 * A message that ends the process itself (memory, a fault of native code) would be handed from worker to worker for ever. For
 * that there are the crash counts: see `crash-counts.ts`.
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
  /** What ended other workers is known; nothing begins before. */
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

  /** In the group, with the broker answering. */
  get isHealthy(): boolean {
    return !this.#isStopping && this.#member?.isHealthy === true
  }

  /** Takes nothing new, waits up to `drainMs` for what is in work, gives the rest back to the group and leaves it. */
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
    // Uninformed, it would write over what others noted.
    this.#committer.setGroup(undefined)
  }

  #assign(partitions: readonly number[], group: Group | undefined): void {
    this.#setGroup(group)
    this.#offsets.assign(partitions)
    this.#queue.keepOnly(this.#offsets.assigned)
    // kafkajs keeps partitions paused over a rearrangement of the group.
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
          'what other workers noted cannot be read, trying again',
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
    // Fetched before the group was arranged anew.
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
    // Not before half of them are gone: every fetch brings some of all partitions.
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

  /** While the group is arranged anew, brokers take no commit. */
  async #commitLast(): Promise<void> {
    const until = Date.now() + leaveWithinMs
    const soon = sleep(leaveWithinMs, true, { ref: false })
    while (this.#offsets.assigned.size > 0 && Date.now() < until) {
      if (await Promise.race([this.#committer.commit(), soon])) return
      await sleep(100)
    }
  }
}
