import type { SegmentOutput } from '../../pipeline/segments/segment.js'
import type { FrameProgress } from '../threads/thread-messages.js'
import type { FoundFile } from './find-clips.js'

/** What became of one file. */
export interface ClipResult {
  readonly path: string
  readonly clipId?: string
  /**
   * `done`: processed now; `unchanged`: was done before; `duplicate`: same content as another file of this run;
   * `partial`: a part had to be given up; `forgotten`: erased by its owner, not taken up again; `skipped`: no video.
   */
  readonly status: 'done' | 'unchanged' | 'duplicate' | 'partial' | 'forgotten' | 'failed' | 'skipped'
  readonly tracks?: number
  /** Time it took, s. */
  readonly seconds?: number
  /** The file is cut off: what could be decoded is kept. */
  readonly truncated?: boolean
  /** The file is damaged: so many seconds of it could not be decoded. */
  readonly damaged?: true
  readonly lostS?: number
  /** Sentences: what of the clip was not looked at. */
  readonly leftOut?: readonly string[]
  readonly code?: string
  readonly message?: string
}

export interface IngestEvents {
  onFound(file: FoundFile): void
  onAllFound(): void
  /** How long the clip at `path` is: when an earlier run knows it, a look at it tells, or it is planned. */
  onMeasured(path: string, durationS: number | undefined): void
  /** This stretch of it was looked at by an earlier run, s. */
  onResumed(path: string, startS: number, endS: number): void
  onFrames(path: string, progress: FrameProgress): void
  onSegment(path: string, output: SegmentOutput): void
  onResult(result: ClipResult, sizeBytes: number): void
  /** An earlier run was stopped within a segment, which is gone on with from that time of the clip, s. */
  onGoOn?(path: string, timeS: number): void
}

/** What a run came upon. */
export interface MetFiles {
  /** Contents. */
  readonly clipIds: ReadonlySet<string>
  /** Paths of which no content is known, because they could not be read. */
  readonly withoutClip: ReadonlySet<string>
}
