import type { ArchiveWriter } from './archive-writer.js'
import type { ClipResults } from './clip-results.js'
import type { FoundFile } from './find-clips.js'
import type { IngestEvents } from './ingest-events.js'
import type { FoundClip } from './ingest-jobs.js'
import type { LengthSamples } from './length-samples.js'
import type { WorkQueue } from './work-queue.js'

export interface FoundFilesOptions {
  readonly writer: ArchiveWriter
  readonly queue: WorkQueue
  readonly results: ClipResults
  readonly samples: LengthSamples
  readonly events: IngestEvents
  /** Number of clips at the front of the queue that are opened at the same time. */
  readonly openAtOnce: number
}

/** Takes the files that the file search finds. Clips go into the queue; other files get their result. */
export class FoundFiles {
  readonly #options: FoundFilesOptions

  constructor(options: FoundFilesOptions) {
    this.#options = options
  }

  take(file: FoundFile): void {
    const { events, results } = this.#options
    events.onFound(file)
    if (file.kind === 'clip') this.#takeClip(file)
    else results.reportUnusable(file)
  }

  /** Stored at once: if an ingest stops before it reaches a file, the file is recorded as not looked at. */
  #takeClip(file: FoundClip): void {
    const { writer, queue } = this.#options
    writer.recordFound(writer.placeOf(file), file.sizeBytes)
    queue.addFile(file)
    this.#tellLength(file)
  }

  /**
   * Reports what an earlier run knows of a file before the file is opened: its length, and whether all of it
   * is done.
   */
  #tellLength({ path, sizeBytes }: FoundClip): void {
    const { writer, queue, events, samples, openAtOnce } = this.#options
    const clipId = this.#knownContentAt(path)
    const durationS = clipId === undefined ? undefined : writer.durationOf(clipId)
    events.onMeasured(path, durationS)
    const isFar = queue.waitingFiles > openAtOnce
    if (durationS === undefined && isFar) samples.offer(path, sizeBytes)
    if (clipId === undefined) return
    if (writer.runOf(clipId)?.state === 'done') events.onResumed(path, 0, durationS ?? 0)
  }

  #knownContentAt(path: string): string | undefined {
    try {
      return this.#options.writer.knownContentAt(path)
    } catch {
      return undefined // Opening the file reports the error.
    }
  }
}
