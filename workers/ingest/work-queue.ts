import type { SegmentThread } from '../threads/segment-handle.js'
import type { FoundClip, Job } from './ingest-jobs.js'

/** The next work of a thread. */
export type Work =
  | { readonly kind: 'job'; readonly job: Job }
  /** A found file, to be hashed and opened. */
  | { readonly kind: 'file'; readonly found: FoundClip }

/**
 * The waiting work, and the load of each thread. Jobs of open clips go before files, so that clips get
 * finished.
 */
export class WorkQueue {
  readonly #threads: readonly SegmentThread[]
  /** All found files; those before `#nextFound` are taken. */
  readonly #found: FoundClip[] = []
  #nextFound = 0
  #isSearching = true
  readonly #jobs: Job[] = []
  /** Number of running jobs on each thread. */
  readonly #loads = new Map<SegmentThread, number>()
  #wake: () => void = () => undefined
  #changed: Promise<void>

  constructor(threads: readonly SegmentThread[]) {
    this.#threads = threads
    this.#changed = this.#nextChange()
  }

  addFile(found: FoundClip): void {
    this.#found.push(found)
    this.notify()
  }

  addJobs(jobs: readonly Job[]): void {
    this.#jobs.push(...jobs)
    this.notify()
  }

  /** The file search is complete: no more files come. */
  endSearch(): void {
    this.#isSearching = false
    this.notify()
  }

  get waitingFiles(): number {
    return this.#found.length - this.#nextFound
  }

  /** True when nothing waits and the search is complete. Running work may still add jobs. */
  get isDone(): boolean {
    return (
      !this.#isSearching &&
      this.waitingFiles === 0 &&
      this.#jobs.length === 0 &&
      this.#threads.every((thread) => this.#loadOf(thread) === 0)
    )
  }

  /**
   * Undefined if nothing waits, or if another thread is less busy. A busy thread opens the next clip in
   * advance, but only if no other thread is idle.
   */
  next(thread: SegmentThread): Work | undefined {
    const isLeastBusy = this.#threads.every((other) => this.#loadOf(thread) <= this.#loadOf(other))
    if (!isLeastBusy) return undefined
    const job = this.nextJob()
    if (job !== undefined) return { kind: 'job', job }
    const found = this.#found[this.#nextFound]
    if (found === undefined) return undefined
    this.#nextFound++
    return { kind: 'file', found }
  }

  nextJob(): Job | undefined {
    return this.#jobs.shift()
  }

  /**
   * Counts the thread as busy while `work` runs. If `work` rejects, the run ends, so the count is not
   * reduced.
   */
  async during(thread: SegmentThread, work: () => Promise<void>): Promise<void> {
    this.#loads.set(thread, this.#loadOf(thread) + 1)
    this.notify()
    await work()
    this.#loads.set(thread, this.#loadOf(thread) - 1)
    this.notify()
  }

  /** Resolves on the next change of the queue. */
  changed(): Promise<void> {
    return this.#changed
  }

  /** Wakes all waiting threads. */
  notify(): void {
    this.#wake()
    this.#changed = this.#nextChange()
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve))
  }

  #loadOf(thread: SegmentThread): number {
    return this.#loads.get(thread) ?? 0
  }
}
