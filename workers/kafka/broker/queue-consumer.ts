import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { messageOf } from '../../../pipeline/common/errors.js'
import type { EachBatchPayload, KafkaClient, KafkaMessage } from './client.js'
import { joinGroup, type FetchSizes, type Group, type PartitionCommit } from './group-member.js'
import { KnownDeaths, type GroupNotes } from './crash-counts.js'
import { OffsetLedger } from './offset-ledger.js'

export interface Received {
  readonly topic: string
  readonly partition: number
  readonly offset: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** When it was written, ms since 1970. */
  readonly timestamp?: string
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
  readonly handle: (message: Received, signal: AbortSignal, deaths: number) => Promise<void>
  /**
   * With it, what is in work or comes next is noted beside the group's offsets before it begins: `handle` is told how many workers
   * died over a message, and one over which any did is handled alone.
   */
  readonly notes?: {
    /** This process in the notes, as none before it: its client id. */
    readonly self: string
    read(): Promise<GroupNotes>
  }
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
const noteAgainAfterMs = 500
/** So many messages a lane are noted before they begin. */
const notedAhead = 4
const handleAgainAfterMs = 2000
const readAgainAfterMs = 2000
const leaveWithinMs = 5000

interface Work {
  readonly message: Received
  readonly offset: bigint
  readonly abort: AbortController
}

interface NotedCommit extends PartitionCommit {
  /** The messages of which the brokers know by its note that they are in work, or may be. */
  readonly noted: readonly bigint[]
}

/**
 * Reads a topic as a member of a consumer group, and never holds up kafkajs: its handler only queues messages and pauses a
 * partition when there is no room, so that heartbeats go on however long a message takes. Messages of one partition are
 * handled side by side; offsets are committed up to the first that is not finished, and only of partitions that are still
 * assigned. What is in work when its partition goes to another worker is aborted.
 *
 * A message that ends the process itself (memory, a fault of native code) would be handed from worker to worker for ever; hence
 * the notes. See `group-notes.ts`.
 */
export async function startQueueConsumer(options: QueueConsumerOptions): Promise<QueueConsumer> {
  const { topic, log, lanes, notes } = options
  const ledgers = new Map<number, OffsetLedger>()
  const committed = new Map<number, NotedCommit>()
  const known = new KnownDeaths(notes?.self ?? '')
  let isInformed = false
  const waiting: Work[] = []
  const inWork = new Set<Work>()
  const resumes = new Map<number, () => void>()
  let assigned: ReadonlySet<number> = new Set()
  let isStopping = false
  let commitTimer: NodeJS.Timeout | undefined
  let committing = Promise.resolve(true)
  let group: Group | undefined

  const hasRoom = () => !isStopping && inWork.size + waiting.length < lanes + options.ahead
  const deathsOf = ({ message, offset }: Work) => known.of(message.partition, offset)

  function onAssigned(partitions: readonly number[], joined: Group | undefined): void {
    group = joined
    assigned = new Set(partitions)
    // Others may have committed meanwhile.
    committed.clear()
    for (const partition of ledgers.keys()) if (!assigned.has(partition)) ledgers.delete(partition)
    for (const work of [...waiting]) if (!assigned.has(work.message.partition)) drop(work)
    for (const work of inWork) if (!assigned.has(work.message.partition)) work.abort.abort()
    // kafkajs keeps partitions paused over a rearrangement of the group.
    resumeAll()
    isInformed = notes === undefined
    if (joined !== undefined && notes !== undefined) void inform(joined, () => notes.read())
    startWork()
  }

  /** Nothing begins before it is known what ended other workers. */
  async function inform(joined: Group, readAll: () => Promise<GroupNotes>): Promise<void> {
    while (group === joined) {
      try {
        const read = await readAll()
        if (group !== joined) return
        known.learn(read)
        for (const { partition, offset, note } of read.partitions)
          if (offset >= 0n) committed.set(partition, { partition, next: offset, note, noted: [] })
        isInformed = true
        startWork()
        void commit()
        return
      } catch (error) {
        log.warn({ error: messageOf(error) }, 'what other workers noted cannot be read, trying again')
        await sleep(readAgainAfterMs)
      }
    }
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
        waiting.push({ message: received(topic, partition, message), offset, abort: new AbortController() })
      }
      payload.resolveOffset(message.offset)
    }
  }

  function startWork(): void {
    while (!isStopping && isInformed && inWork.size < lanes) {
      const [work] = waiting
      const mustWait =
        work !== undefined && inWork.size > 0 && [work, ...inWork].some((any) => deathsOf(any) > 0)
      if (work === undefined || mustWait) return
      waiting.shift()
      void run(work)
    }
  }

  async function run(work: Work): Promise<void> {
    const { message } = work
    const ledger = ledgers.get(message.partition)
    inWork.add(work)
    options.onInWork(inWork.size)
    const isDone = (await noteBeginning(work)) && (await handleUntilDone(work))
    inWork.delete(work)
    options.onInWork(inWork.size)
    // A ledger that is not the partition's any more belongs to an earlier assignment.
    if (isDone && ledger !== undefined && ledgers.get(message.partition) === ledger) {
      ledger.finish(work.offset)
      known.forget(message.partition, work.offset)
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

  /** False where it was aborted before the brokers have the note. */
  async function noteBeginning(work: Work): Promise<boolean> {
    if (notes === undefined) return true
    const { partition, offset } = work.message
    if (deathsOf(work) > 0)
      log.warn(
        { partition, offset, deaths: deathsOf(work) },
        'workers died over this message: it is handled alone',
      )
    const { signal } = work.abort
    const mayBegin = () => !signal.aborted && !isStopping
    if (deathsOf(work) === 0 && committed.get(partition)?.noted.includes(work.offset) === true)
      return mayBegin()
    while (mayBegin()) {
      if (await commit()) return mayBegin()
      await sleep(noteAgainAfterMs, undefined, { signal }).catch(() => undefined)
    }
    return false
  }

  /** False where it was aborted, or failed while this worker ends. */
  async function handleUntilDone(work: Work): Promise<boolean> {
    const { message, abort } = work
    for (;;) {
      try {
        await options.handle(message, abort.signal, deathsOf(work))
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

  /** One after the other, each with what is true by then. False where it failed, and is tried again in a while. */
  function commit(): Promise<boolean> {
    committing = committing.then(commitNow)
    return committing
  }

  async function commitNow(): Promise<boolean> {
    clearTimeout(commitTimer)
    commitTimer = undefined
    const joined = group
    // Uninformed, it would write over what others noted.
    if (joined === undefined || !isInformed) return false
    try {
      const commits = [...assigned].flatMap(newCommit)
      if (commits.length === 0) return true
      await joined.commit(commits)
      if (group !== joined) return false
      for (const commit of commits) committed.set(commit.partition, commit)
      return true
    } catch (error) {
      // After a rebalance others may do it again; the result is the same.
      log.warn({ error: messageOf(error) }, 'offsets were not committed, trying again')
      if (!isStopping) commitTimer ??= setTimeout(() => void commit(), commitAgainAfterMs)
      return false
    }
  }

  /** What is to be said of a partition and was not yet. */
  function newCommit(partition: number): NotedCommit[] {
    const ledger = ledgers.get(partition)
    const before = committed.get(partition)
    // A note needs an offset to stand beside, also where nothing is finished.
    const unfinished = notes === undefined ? undefined : (ledger?.firstOpen ?? before?.next)
    const next = ledger?.next ?? unfinished
    if (next === undefined) return []
    const noted = offsetsToNote(partition)
    const note = notes === undefined ? undefined : known.note(partition, next, noted)
    return before?.next === next && before.note === note ? [] : [{ partition, next, note, noted }]
  }

  /** What is in work, and what comes next: not every beginning has to wait for a commit. Beside a suspect nothing is. */
  function offsetsToNote(partition: number): bigint[] {
    const isSuspect = (work: Work) => deathsOf(work) > 0
    const firstSuspect = [...inWork, ...waiting].findIndex(isSuspect)
    const next = firstSuspect === -1 ? lanes * notedAhead : Math.max(0, firstSuspect - inWork.size)
    return [...inWork, ...waiting.slice(0, Math.min(next, lanes * notedAhead))]
      .filter(({ message }) => message.partition === partition)
      .map(({ offset }) => offset)
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
      // What is still in work is not waited for.
      inWork.clear()
      // While the group is arranged anew, brokers take no commit.
      const leaveAt = Date.now() + leaveWithinMs
      const soon = sleep(leaveWithinMs, true, { ref: false })
      while (assigned.size > 0 && !(await Promise.race([commit(), soon])) && Date.now() < leaveAt)
        await sleep(100)
      group = undefined
      await member.leave(leaveWithinMs)
    },
  }
}

function received(
  topic: string,
  partition: number,
  { offset, key, value, timestamp }: KafkaMessage,
): Received {
  return { topic, partition, offset, key, value, timestamp }
}
