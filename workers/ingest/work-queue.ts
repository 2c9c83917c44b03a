import type { SegmentThread } from '../threads/segment-handle.js'
import type { FoundClip, Job } from './ingest-jobs.js'

/** What a thread does next. */
export type Work =
  | { readonly kind: 'job'; readonly job: Job }
  /** A file that was found, to be hashed and opened. */
  | { readonly kind: 'file'; readonly found: FoundClip }

/** Work that waits for a thread, and how busy each thread is. Jobs of open clips go before files, so that clips end. */
export class WorkQueue {
  readonly #threads: readonly SegmentThread[]
  /** All that was found; those before `#nextFound` were taken. */
  readonly #found: FoundClip[] = []
  #nextFound = 0
  #isSearching = true
  readonly #jobs: Job[] = []
  /** Work under way on each thread. */
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

  /** No more files come from the search. */
  endSearch(): void {
    this.#isSearching = false
    this.notify()
  }

  get waitingFiles(): number {
    return this.#found.length - this.#nextFound
  }

  /** True when nothing waits and nothing can come: work under way may still bring jobs. */
  get isDone(): boolean {
    return (
      !this.#isSearching &&
      this.waitingFiles === 0 &&
      this.#jobs.length === 0 &&
      this.#threads.every((thread) => this.#loadOf(thread) === 0)
    )
  }

  /**
   * Undefined where nothing waits, or another thread is less busy: a busy thread opens the next clip in advance, but not while
   * another has nothing to do.
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

  /** Counts the thread as busy while `work` goes on. Where that rejects, the run ends, and so nothing is counted back. */
  async during(thread: SegmentThread, work: () => Promise<void>): Promise<void> {
    this.#loads.set(thread, this.#loadOf(thread) + 1)
    this.notify()
    await work()
    this.#loads.set(thread, this.#loadOf(thread) - 1)
    this.notify()
  }

  /** Resolves with the next change of anything here. */
  changed(): Promise<void> {
    return this.#changed
  }

  /** All that wait look again. */
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
