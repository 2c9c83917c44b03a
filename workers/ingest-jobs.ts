import type { FileStamp } from '../index/store/files.js'
import type { CameoError } from '../pipeline/errors.js'
import type { SegmentSpan } from '../pipeline/segment-builder.js'
import type { FoundFile } from './find-clips.js'
import type { SegmentWish } from './messages.js'

export type FoundClip = Extract<FoundFile, { kind: 'clip' }>

/** A file of a clip, where its result is recorded. */
export interface ClipFile {
  readonly found: FoundClip
  readonly path: string
  readonly rootId: number
  readonly relativePath: string
  readonly stamp: FileStamp
  readonly startedMs: number
}

/** A clip being worked on, by as many threads as it has segments. */
export interface OpenClip {
  readonly clipId: string
  readonly file: ClipFile
  /** Further files of the same content, met meanwhile. */
  readonly duplicates: ClipFile[]
  /** Jobs under way or waiting. */
  jobs: number
  readonly givenUp: SegmentSpan[]
  failure: CameoError | undefined
}

export interface Job {
  readonly clip: OpenClip
  readonly wish: SegmentWish
  readonly attempt: number
}

/** A transient failure (a network share, a thread that died) is tried this often. */
const maxAttempts = 3

/** One job a segment where the container can be cut, one pass over the rest where it cannot. */
export function wishesFor(segments: readonly SegmentSpan[], cuttable: boolean): SegmentWish[] {
  if (segments.length === 0) return []
  if (!cuttable) return [{ kind: 'segments', segments, seek: 'fromStart' }]
  return segments.map((segment) => ({ kind: 'segments', segments: [segment], seek: 'fast' }))
}

/** The job once more: without seeking where that failed, as it was where the failure may pass; else undefined. */
export function retryOf(job: Job, left: readonly SegmentSpan[], error: CameoError): Job | undefined {
  if (job.attempt >= maxAttempts || error.code === 'CLIP_CHANGED') return undefined
  const attempt = job.attempt + 1
  const wish: SegmentWish = left.length === 0 ? job.wish : { kind: 'segments', segments: left, seek: 'fast' }
  if (error.code === 'CLIP_NOT_SEEKABLE' && wish.kind === 'segments')
    return { ...job, attempt, wish: { ...wish, seek: 'fromStart' } }
  return error.retriable ? { ...job, attempt, wish } : undefined
}
