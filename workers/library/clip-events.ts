import type { IngestWatcher } from '../archive/ingest-archive.js'
import type { ClipResult } from '../ingest/ingest-events.js'

/** The events of the clips of an ingest, in order. Paths are absolute; times are seconds of the clip. */
export type ClipEvent =
  /** A file that may be a clip. Its size is 0 if it cannot be inspected; its result says why. */
  | { readonly kind: 'found'; readonly path: string; readonly sizeBytes: number }
  /** The file search is complete: the number of files is known. */
  | { readonly kind: 'all-found' }
  /** Length of a clip; undefined if its file does not state it. */
  | { readonly kind: 'measured'; readonly path: string; readonly durationS: number | undefined }
  /** An earlier ingest looked at this stretch. It is not looked at again. */
  | { readonly kind: 'resumed'; readonly path: string; readonly startS: number; readonly endS: number }
  /** More frames were looked at, the last of them at `timeS`; these faces were found. */
  | {
      readonly kind: 'frames'
      readonly path: string
      readonly frames: number
      readonly faces: number
      readonly timeS: number
    }
  /**
   * A segment is stored in the archive: the people in it, and its end. `endS` of a clip's last segment is
   * Infinity.
   */
  | {
      readonly kind: 'segment'
      readonly path: string
      readonly startS: number
      readonly endS: number
      readonly tracks: number
    }
  /** The last event of a file. Its result is on disk. */
  | { readonly kind: 'result'; readonly path: string; readonly result: ClipResult }

/** Turns the callbacks of an ingest into event values, and counts the results by status. */
export class EventWatcher implements IngestWatcher {
  readonly #tell: (event: ClipEvent) => void
  readonly #counts = new Map<ClipResult['status'], number>()

  constructor(tell: (event: ClipEvent) => void) {
    this.#tell = tell
  }

  get counts(): Readonly<Partial<Record<ClipResult['status'], number>>> {
    return Object.fromEntries(this.#counts)
  }

  readonly onFound: IngestWatcher['onFound'] = (file) => {
    if (file.kind !== 'skipped')
      this.#tell({ kind: 'found', path: file.path, sizeBytes: file.kind === 'clip' ? file.sizeBytes : 0 })
  }

  readonly onAllFound = () => this.#tell({ kind: 'all-found' })

  readonly onMeasured: IngestWatcher['onMeasured'] = (path, durationS) =>
    this.#tell({ kind: 'measured', path, durationS })

  readonly onResumed: IngestWatcher['onResumed'] = (path, startS, endS) =>
    this.#tell({ kind: 'resumed', path, startS, endS })

  readonly onFrames: IngestWatcher['onFrames'] = (path, { count, faces, timeS }) =>
    this.#tell({ kind: 'frames', path, frames: count, faces, timeS })

  readonly onSegment: IngestWatcher['onSegment'] = (path, { segment: { startS, endS }, tracks }) =>
    this.#tell({ kind: 'segment', path, startS, endS, tracks: tracks.length })

  readonly onResult = (result: ClipResult): void => {
    this.#counts.set(result.status, (this.#counts.get(result.status) ?? 0) + 1)
    this.#tell({ kind: 'result', path: result.path, result })
  }
}
