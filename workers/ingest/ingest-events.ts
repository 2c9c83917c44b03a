import type { SegmentOutput } from '../../pipeline/segments/segment.js'
import type { FrameProgress } from '../threads/thread-messages.js'
import type { FoundFile } from './find-clips.js'

/** The result of one file. */
export interface ClipResult {
  readonly path: string
  readonly clipId?: string
  /**
   * `done`: processed now; `unchanged`: done before; `duplicate`: same content as another file of this run;
   * `partial`: a part could not be processed; `forgotten`: erased by its owner and not ingested again;
   * `skipped`: not a video.
   */
  readonly status: 'done' | 'unchanged' | 'duplicate' | 'partial' | 'forgotten' | 'failed' | 'skipped'
  readonly tracks?: number
  /** Processing time, s. */
  readonly seconds?: number
  /** The file is cut off. Everything that could be decoded is stored. */
  readonly truncated?: boolean
  /** The file is damaged: this many seconds could not be decoded. */
  readonly damaged?: true
  readonly lostS?: number
  /** Sentences about the parts of the clip that were not looked at. */
  readonly leftOut?: readonly string[]
  readonly code?: string
  readonly message?: string
}

export interface IngestEvents {
  onFound(file: FoundFile): void
  onAllFound(): void
  /**
   * The length of the clip at `path`. Known from an earlier run, from a look at the file, or from its plan.
   */
  onMeasured(path: string, durationS: number | undefined): void
  /** An earlier run looked at this stretch of the clip, s. */
  onResumed(path: string, startS: number, endS: number): void
  onFrames(path: string, progress: FrameProgress): void
  onSegment(path: string, output: SegmentOutput): void
  onResult(result: ClipResult, sizeBytes: number): void
  /** An earlier run stopped within a segment. Processing continues from this time of the clip, s. */
  onGoOn?(path: string, timeS: number): void
}

/** The files that a run found. */
export interface MetFiles {
  /** Ids of the contents. */
  readonly clipIds: ReadonlySet<string>
  /** Paths of files that could not be read, so their content is unknown. */
  readonly withoutClip: ReadonlySet<string>
}
