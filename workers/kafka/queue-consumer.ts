import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { messageOf } from '../../pipeline/errors.js'
import type { EachBatchPayload, KafkaClient, KafkaMessage } from './client.js'
import { joinGroup, type FetchSizes, type Group } from './group-member.js'
import { OffsetLedger } from './offset-ledger.js'

export interface Received {
  readonly topic: string
  readonly partition: number
  readonly offset: string
  readonly key: Buffer | null
  readonly value: Buffer | null
}

export interface QueueConsumerOptions {
  readonly kafka: KafkaClient
  readonly topic: string
  readonly groupId: string
  readonly log: Logger
  /** Messages handled at the same time. */
  readonly lanes: number
  /**
   * Messages taken along in advance, so that no lane waits for the broker and partitions are not fetched for each one. What a
   * partition holds is this worker's work in any case; nothing is opened for a message that waits.
   */
  readonly ahead: number
  readonly fetch: FetchSizes
  /**
   * Resolves when the message's result is durable: then its offset may be committed. Rejects only when `signal` is aborted;
   * any other error is taken for passing, and the message is handled again.
   */
  readonly handle: (message: Received, signal: AbortSignal) => Promise<void>
  /** Told how many messages are being handled. */
  readonly onInWork: (count: number) => void
}

export interface QueueConsumer {
  /** In the group, with the broker answering. */
  readonly isHealthy: boolean
  /** Takes nothing new, waits up to `drainMs` for what is in work, gives the rest back to the group and leaves it. */
  stop(drainMs: number): Promise<void>
}

const commitEveryMs = 1000
const commitAgainAfterMs = 3000
const handleAgainAfterMs = 2000
const leaveWithinMs = 5000

interface Work {
  readonly message: Received
  readonly abort: AbortController
}

/**
 * Reads a topic as a member of a consumer group, and never holds up kafkajs: its handler only queues messages and pauses a
 * partition when there is no room, so that heartbeats go on however long a message takes. Messages of one partition are
 * handled side by side; offsets are committed up to the first that is not finished, and only of partitions that are still
 * assigned. What is in work when its partition goes to another worker is aborted.
 */
export async function startQueueConsumer(options: QueueConsumerOptions): Promise<QueueConsumer> {
  const { topic, log, lanes } = options
  const ledgers = new Map<number, OffsetLedger>()
  const committed = new Map<number, bigint>()
  const waiting: Work[] = []
  const inWork = new Set<Work>()
  const resumes = new Map<number, () => void>()
  let assigned: ReadonlySet<number> = new Set()
  let isStopping = false
  let commitTimer: NodeJS.Timeout | undefined
  let group: Group | undefined

  const hasRoom = () => !isStopping && inWork.size + waiting.length < lanes + options.ahead

  function onAssigned(partitions: readonly number[], joined: Group | undefined): void {
    group = joined
    assigned = new Set(partitions)
    for (const partition of ledgers.keys())
      if (!assigned.has(partition)) {
        ledgers.delete(partition)
        committed.delete(partition)
      }
    for (const work of [...waiting]) if (!assigned.has(work.message.partition)) drop(work)
    for (const work of inWork) if (!assigned.has(work.message.partition)) work.abort.abort()
    // kafkajs keeps partitions paused over a rearrangement of the group.
    resumeAll()
    startWork()
  }

  function takeBatch(payload: EachBatchPayload): void {
    const { batch } = payload
    const { partition } = batch
    // Fetched before the group was arranged anew.
    if (!assigned.has(partition)) return
    const ledger = ledgers.get(partition) ?? new OffsetLedger()
    ledgers.set(partition, ledger)
    for (const message of batch.messages) {
      if (!payload.isRunning() || payload.isStale()) break
      const offset = BigInt(message.offset)
      if (!ledger.knows(offset)) {
        if (!hasRoom()) {
          resumes.set(partition, payload.pause())
          break
        }
        ledger.take(offset)
        waiting.push({ message: received(topic, partition, message), abort: new AbortController() })
      }
      payload.resolveOffset(message.offset)
    }
  }

  function startWork(): void {
    while (!isStopping && inWork.size < lanes) {
      const work = waiting.shift()
      if (work === undefined) return
      void run(work)
    }
  }

  async function run(work: Work): Promise<void> {
    const { message } = work
    const ledger = ledgers.get(message.partition)
    inWork.add(work)
    options.onInWork(inWork.size)
    const isDone = await handleUntilDone(work)
    inWork.delete(work)
    options.onInWork(inWork.size)
    // A ledger that is not the partition's any more belongs to an earlier assignment.
    if (isDone && ledger !== undefined && ledgers.get(message.partition) === ledger) {
      ledger.finish(BigInt(message.offset))
      commitTimer ??= setTimeout(() => void commit(), commitEveryMs)
    }
    startWork()
    // Not before half of them are gone: every fetch brings some of all partitions.
    if (!isStopping && waiting.length <= options.ahead / 2) resumeAll()
  }

  function resumeAll(): void {
    for (const resume of resumes.values()) resume()
    resumes.clear()
  }

  /** False where it was aborted, or failed while this worker ends. */
  async function handleUntilDone({ message, abort }: Work): Promise<boolean> {
    for (;;) {
      try {
        await options.handle(message, abort.signal)
        return true
      } catch (error) {
        // Handed back: it is not finished, so another worker is given it.
        if (abort.signal.aborted || isStopping) return false
        log.error(
          { error: messageOf(error), partition: message.partition, offset: message.offset },
          'a message could not be handled, trying again',
        )
        await sleep(handleAgainAfterMs, undefined, { signal: abort.signal }).catch(() => undefined)
      }
    }
  }

  function drop(work: Work): void {
    waiting.splice(waiting.indexOf(work), 1)
  }

  async function commit(): Promise<void> {
    commitTimer = undefined
    const offsets = [...ledgers].flatMap(([partition, { next }]) =>
      next !== undefined && next !== committed.get(partition) && assigned.has(partition)
        ? [{ partition, next }]
        : [],
    )
    if (offsets.length === 0) return
    try {
      await group?.commit(offsets)
      for (const { partition, next } of offsets) committed.set(partition, next)
    } catch (error) {
      // After a rebalance others may do it again; the result is the same.
      log.warn({ error: messageOf(error) }, 'offsets were not committed, trying again')
      if (!isStopping) commitTimer ??= setTimeout(() => void commit(), commitAgainAfterMs)
    }
  }

  const { kafka, groupId, fetch } = options
  const member = await joinGroup({
    ...{ kafka, topic, groupId, log, fetch, onAssigned },
    onFetched: (batches) => {
      for (const batch of batches) takeBatch(batch)
      startWork()
      return Promise.resolve()
    },
  })

  return {
    get isHealthy() {
      return !isStopping && member.isHealthy
    },
    async stop(drainMs) {
      isStopping = true
      waiting.length = 0
      const until = Date.now() + drainMs
      while (inWork.size > 0 && Date.now() < until) await sleep(50)
      for (const work of inWork) work.abort.abort()
      const abortedUntil = Date.now() + leaveWithinMs
      while (inWork.size > 0 && Date.now() < abortedUntil) await sleep(20)
      clearTimeout(commitTimer)
      await Promise.race([commit(), sleep(leaveWithinMs, undefined, { ref: false })])
      await member.leave(leaveWithinMs)
    },
  }
}

function received(topic: string, partition: number, { offset, key, value }: KafkaMessage): Received {
  return { topic, partition, offset, key, value }
}
