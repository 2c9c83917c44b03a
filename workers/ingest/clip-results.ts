import type { Run } from '../../index/store/clip-facts.js'
import { clipName } from '../../pipeline/common/display-name.js'
import type { CameoError } from '../../pipeline/common/errors.js'
import type { ArchiveWriter } from './archive-writer.js'
import { mayExist, type FoundFile } from './find-clips.js'
import type { ClipResult, IngestEvents } from './ingest-events.js'
import { damageOf, type ClipFile, type FoundClip } from './ingest-jobs.js'

/** The result of a clip's file. */
export interface Outcome {
  readonly status: ClipResult['status']
  readonly run?: Run | undefined
  readonly failure?: CameoError | undefined
}

/** Stores the result of each file, and reports it when it is durable. */
export class ClipResults {
  readonly #writer: ArchiveWriter
  readonly #events: IngestEvents
  readonly #withoutClip = new Set<string>()

  constructor(writer: ArchiveWriter, events: IngestEvents) {
    this.#writer = writer
    this.#events = events
  }

  /** Paths of files that could not be read. */
  get withoutClip(): ReadonlySet<string> {
    return this.#withoutClip
  }

  report(file: ClipFile, clipId: string | undefined, outcome: Outcome): void {
    this.#writer.setFailure(file, outcome.failure)
    this.#tell(resultOf(file, clipId, outcome), file.stamp.sizeBytes)
  }

  /** A file that was found but cannot be read. */
  reportUnreadable(file: ClipFile, failure: CameoError): void {
    this.#withoutClip.add(file.path)
    this.#writer.recordUnreadable(file, failure, file.stamp)
    this.report(file, undefined, { status: 'failed', failure })
  }

  /** A file that is not a clip, or that the file search could not inspect. */
  reportUnusable(file: Exclude<FoundFile, FoundClip>): void {
    const { path } = file
    if (file.kind === 'skipped') {
      const message = `${clipName(path)} does not look like a video by its name and first bytes; to try it anyway, give the path of the file itself`
      this.#tell({ path, status: 'skipped', code: 'CLIP_NOT_VIDEO', message }, 0)
      return
    }
    const { code, message } = file.error
    const place = this.#writer.placeOf(file)
    this.#withoutClip.add(path)
    // A mistyped path is not a file of the archive. A known file is recorded as gone.
    if (code === 'CLIP_GONE' && !mayExist(path)) this.#writer.setFailure(place, { code, message })
    else this.#writer.recordUnreadable(place, { code, message })
    this.#tell({ path, status: 'failed', code, message }, 0)
  }

  #tell(result: ClipResult, sizeBytes: number): void {
    this.#writer.whenDurable(() => this.#events.onResult(result, sizeBytes))
  }
}

function resultOf(file: ClipFile, clipId: string | undefined, { status, run, failure }: Outcome): ClipResult {
  return {
    path: file.path,
    ...(clipId === undefined ? {} : { clipId }),
    status,
    ...(run === undefined || status === 'failed' ? {} : { tracks: run.tracks }),
    seconds: Math.round(performance.now() - file.startedMs) / 1000,
    ...(run?.truncated === true ? { truncated: true } : {}),
    ...damageOf(run?.lostS),
    ...(run === undefined || run.leftOut.length === 0 ? {} : { leftOut: run.leftOut }),
    ...(failure === undefined ? {} : { code: failure.code, message: failure.message }),
  }
}
