import type { Received } from './received.js'

/** A message that this worker took. */
export interface Work {
  readonly message: Received
  readonly offset: bigint
  readonly abort: AbortController
}

export interface WorkQueueOptions {
  /** Number of messages handled at the same time. */
  readonly concurrency: number
  /** Number of messages taken in advance. */
  readonly ahead: number
  /** True if a worker died over the message. It is then handled alone. */
  readonly isSuspect: (work: Work) => boolean
}

/** Number of messages noted before they start, times the concurrency. */
const notedAhead = 4

/** The messages that a worker took: waiting ones, in order, and those in work. */
export class WorkQueue {
  readonly #concurrency: number
  readonly #ahead: number
  readonly #isSuspect: (work: Work) => boolean
  readonly #waiting: Work[] = []
  readonly #inWork = new Set<Work>()

  constructor({ concurrency, ahead, isSuspect }: WorkQueueOptions) {
    this.#concurrency = concurrency
    this.#ahead = ahead
    this.#isSuspect = isSuspect
  }

  /** Number of messages in work. */
  get inWork(): number {
    return this.#inWork.size
  }

  get hasRoom(): boolean {
    return this.#inWork.size + this.#waiting.length < this.#concurrency + this.#ahead
  }

  /** True if at most half of the queue is filled. */
  get isRunningLow(): boolean {
    return this.#waiting.length <= this.#ahead / 2
  }

  add(work: Work): void {
    this.#waiting.push(work)
  }

  /** Moves the next message into work. Undefined if none may start now. */
  begin(): Work | undefined {
    const [work] = this.#waiting
    if (work === undefined || this.#inWork.size >= this.#concurrency) return undefined
    if (this.#inWork.size > 0 && [work, ...this.#inWork].some(this.#isSuspect)) return undefined
    this.#waiting.shift()
    this.#inWork.add(work)
    return work
  }

  end(work: Work): void {
    this.#inWork.delete(work)
  }

  /** For all other partitions, drops waiting messages and aborts those in work. */
  keepOnly(partitions: ReadonlySet<number>): void {
    const isKept = ({ message }: Work) => partitions.has(message.partition)
    this.#waiting.splice(0, Infinity, ...this.#waiting.filter(isKept))
    for (const work of this.#inWork) if (!isKept(work)) work.abort.abort()
  }

  dropWaiting(): void {
    this.#waiting.length = 0
  }

  abortInWork(): void {
    for (const work of this.#inWork) work.abort.abort()
  }

  /** From now on, messages still in work are not counted. */
  abandonInWork(): void {
    this.#inWork.clear()
  }

  /**
   * Offsets of one partition to note as started: the messages in work and the next ones, so that not every
   * message waits for a commit before it starts. Beside a suspect, nothing else is noted.
   */
  offsetsToNote(partition: number): bigint[] {
    const most = this.#concurrency * notedAhead
    const firstSuspect = [...this.#inWork, ...this.#waiting].findIndex(this.#isSuspect)
    const next = firstSuspect === -1 ? most : Math.max(0, firstSuspect - this.#inWork.size)
    return [...this.#inWork, ...this.#waiting.slice(0, Math.min(next, most))]
      .filter(({ message }) => message.partition === partition)
      .map(({ offset }) => offset)
  }
}
