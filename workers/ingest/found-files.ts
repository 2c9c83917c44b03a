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
  /** So many clips in front are opened at once. */
  readonly openAtOnce: number
}

/** Takes what the search finds: clips into the queue, the rest to its result. */
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

  /** Noted at once: an ingest that is stopped before it comes to a file leaves it known as not looked at. */
  #takeClip(file: FoundClip): void {
    const { writer, queue } = this.#options
    writer.recordFound(writer.placeOf(file), file.sizeBytes)
    queue.addFile(file)
    this.#tellLength(file)
  }

  /** What an earlier run knows of a file, before it is opened: how long it is, and that nothing of it is left. */
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
      return undefined // It is told when it is opened.
    }
  }
}
