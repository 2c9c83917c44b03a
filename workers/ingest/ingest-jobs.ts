import type { ClipFacts } from '../../index/store/clip-facts.js'
import type { FileStamp } from '../../index/store/file-facts.js'
import type { CameoError } from '../../pipeline/common/errors.js'
import type { FoundFile } from './find-clips.js'
import type { ClipPlan, SegmentRequest } from '../threads/thread-messages.js'
import type { SegmentSpan } from '../../pipeline/segments/segment.js'

export type FoundClip = Extract<FoundFile, { kind: 'clip' }>

/** A file of a clip, and where its result is stored. */
export interface ClipFile {
  readonly found: FoundClip
  readonly path: string
  readonly rootId: number
  readonly relativePath: string
  readonly stamp: FileStamp
  readonly startedMs: number
}

/** A clip in progress. Up to one thread per segment works on it. */
export interface OpenClip {
  readonly clipId: string
  readonly file: ClipFile
  /** Other files with the same content, found in the meantime. */
  readonly duplicates: ClipFile[]
  /** Jobs that run or wait. */
  jobs: number
  readonly givenUp: SegmentSpan[]
  failure: CameoError | undefined
}

export interface Job {
  readonly clip: OpenClip
  readonly request: SegmentRequest
  /** Counts from 1. */
  readonly attempt: number
}

/** Number of attempts after transient failures (a network share, a thread that died). */
const maxAttempts = 3

/** One job per segment if the container can be cut; else one pass over the rest. */
export function requestsFor(segments: readonly SegmentSpan[], cuttable: boolean): SegmentRequest[] {
  if (segments.length === 0) return []
  if (!cuttable) return [{ kind: 'segments', segments, seek: 'fromStart' }]
  return segments.map((segment) => ({ kind: 'segments', segments: [segment], seek: 'fast' }))
}

/** The job again if a retry may help; else undefined. */
export function retryOf(job: Job, left: readonly SegmentSpan[], error: CameoError): Job | undefined {
  if (job.attempt >= maxAttempts || error.code === 'CLIP_CHANGED' || !error.retriable) return undefined
  return { ...job, attempt: job.attempt + 1, request: requestAgain(job.request, left, error) }
}

/** The request after an error: the remaining segments, and without seeking if seeking failed. */
export function requestAgain(
  request: SegmentRequest,
  left: readonly SegmentSpan[],
  { code }: CameoError,
): SegmentRequest {
  const seek = request.kind === 'segments' ? request.seek : 'fast'
  const again: SegmentRequest = left.length === 0 ? request : { kind: 'segments', segments: left, seek }
  return code === 'CLIP_NOT_SEEKABLE' && again.kind === 'segments' ? { ...again, seek: 'fromStart' } : again
}

/** The result's fields about the part of a clip, s, that could not be decoded. */
export function damageOf(lostS = 0): { readonly damaged?: true; readonly lostS?: number } {
  return lostS === 0 ? {} : { damaged: true, lostS: Math.round(lostS * 100) / 100 }
}

export function factsOf({ info }: ClipPlan, sizeBytes: number): ClipFacts {
  return {
    sizeBytes,
    durationS: info.durationS,
    widthPx: info.sourceWidthPx,
    heightPx: info.sourceHeightPx,
    codec: info.codec,
    container: info.container,
    ...(info.leftOut === undefined ? {} : { leftOut: info.leftOut }),
  }
}
