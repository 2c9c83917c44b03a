import { archiveError } from '../../index/store/database.js'
import type { Archive } from '../../index/archive/open-archive.js'
import type { SegmentThread } from '../threads/segment-handle.js'
import { ArchiveWriter } from './archive-writer.js'
import { ClipResults } from './clip-results.js'
import type { FoundFile } from './find-clips.js'
import { FoundFiles } from './found-files.js'
import type { IngestEvents, MetFiles } from './ingest-events.js'
import { JobRun, type JobRunOptions } from './job-run.js'
import { createLengthSamples, type LengthSamples } from './length-samples.js'
import { OpenClips } from './open-clips.js'
import { openFile } from './open-file.js'
import { WorkQueue, type Work } from './work-queue.js'

export interface IngestOptions {
  readonly archive: Archive
  /** Digests of the recipe and its embedder; the descriptor space. */
  readonly recipe: string
  readonly embedder: string
  readonly spaceId: number
  readonly segmentLengthS: number
  readonly threads: readonly SegmentThread[]
  readonly files: AsyncIterable<FoundFile> | Iterable<FoundFile>
  /** Real folders. A link that leads out of them is refused. Default: links may lead anywhere. */
  readonly within?: readonly string[] | undefined
  readonly isForgotten: (clipId: string) => boolean
  /** Called within the transaction that stores the last segment of a clip. */
  readonly onComplete?: (clipId: string) => void
  readonly events: IngestEvents
  readonly signal: AbortSignal
}

/**
 * While a thread processes one clip, the next one is hashed and opened. So a thread never waits for the main
 * thread.
 */
const concurrencyPerThread = 2

/**
 * Processes every found file. Each thread processes one part of a clip at a time. Parts of long clips go
 * first, so that they do not finish last. Rows are written as each segment is done: no stop loses a finished
 * segment.
 */
export class IngestRun {
  readonly #options: IngestOptions
  readonly #writer: ArchiveWriter
  readonly #queue: WorkQueue
  readonly #results: ClipResults
  readonly #clips: OpenClips
  readonly #found: FoundFiles
  readonly #samples: LengthSamples
  readonly #jobOptions: JobRunOptions
  readonly #ended = new AbortController()
  /** The error that ended the whole run. */
  #fatal: Error | undefined

  constructor(options: IngestOptions) {
    this.#options = options
    const { archive, recipe, embedder, spaceId, threads, events, signal } = options
    const { segmentLengthS, isForgotten, onComplete = () => undefined } = options
    const target = { recipe, embedder, spaceId }
    const writer = new ArchiveWriter(archive, target, { onComplete, onError: (error) => this.#fail(error) })
    const queue = new WorkQueue(threads)
    const results = new ClipResults(writer, events)
    const clips = new OpenClips({ writer, queue, results, events, segmentLengthS, isForgotten })
    this.#samples = createLengthSamples(
      (path, durationS) => events.onMeasured(path, durationS),
      AbortSignal.any([signal, this.#ended.signal]),
    )
    this.#found = new FoundFiles({
      ...{ writer, queue, results, events, samples: this.#samples },
      openAtOnce: threads.length * concurrencyPerThread,
    })
    this.#jobOptions = { writer, queue, clips, events, segmentLengthS, signal }
    this.#writer = writer
    this.#queue = queue
    this.#results = results
    this.#clips = clips
  }

  /**
   * Resolves when every file has its result, or when the signal stops the run. Call it once.
   * @throws CameoError about the archive itself (ARCHIVE_*); rows that are already stored stay
   */
  async run(): Promise<MetFiles> {
    const { signal, threads } = this.#options
    const stop = () => this.#stopThreads()
    signal.addEventListener('abort', stop)
    try {
      const work = threads.flatMap((thread) =>
        Array.from({ length: concurrencyPerThread }, () => this.#workOn(thread)),
      )
      await Promise.all(
        [this.#search(), ...work].map((part) => part.catch((error: unknown) => this.#fail(error))),
      )
      if (this.#fatal === undefined) this.#writer.flush()
    } catch (error) {
      this.#fail(error)
    } finally {
      signal.removeEventListener('abort', stop)
      this.#ended.abort()
      await this.#samples.finished()
    }
    if (this.#fatal !== undefined) throw this.#fatal
    return { clipIds: this.#clips.clipIds, withoutClip: this.#results.withoutClip }
  }

  get #isStopped(): boolean {
    return this.#options.signal.aborted || this.#fatal !== undefined
  }

  async #search(): Promise<void> {
    for await (const file of this.#options.files) {
      if (this.#isStopped) break
      this.#found.take(file)
    }
    this.#options.events.onAllFound()
    this.#queue.endSearch()
  }

  /** Gives work to the thread until none is left. */
  async #workOn(thread: SegmentThread): Promise<void> {
    const queue = this.#queue
    while (!this.#isStopped) {
      const work = queue.next(thread)
      if (work !== undefined) await queue.during(thread, () => this.#do(thread, work))
      else if (queue.isDone) return
      else await queue.changed()
    }
  }

  async #do(thread: SegmentThread, work: Work): Promise<void> {
    if (work.kind === 'job') {
      await new JobRun(work.job, this.#jobOptions).run(thread)
      return
    }
    const opened = await openFile(thread, work.found, {
      writer: this.#writer,
      results: this.#results,
      signal: this.#options.signal,
      within: this.#options.within,
    })
    if (opened === undefined || !this.#clips.takeUp(opened.file, opened.clipId)) return
    // The thread that hashed a clip also processes it.
    const job = this.#queue.nextJob()
    if (job !== undefined) await new JobRun(job, this.#jobOptions).run(thread)
  }

  #stopThreads(): void {
    for (const thread of this.#options.threads) thread.abort()
    this.#queue.notify()
  }

  #fail(error: unknown): void {
    this.#fatal ??=
      archiveError(this.#options.archive.dir, error) ??
      (error instanceof Error ? error : new Error(String(error)))
    this.#writer.abandon()
    this.#stopThreads()
  }
}
