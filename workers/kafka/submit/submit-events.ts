import type { FoundFile } from '../../ingest/find-clips.js'
import { damageOf } from '../../ingest/ingest-jobs.js'
import type { StatusMessage } from '../messages/schemas.js'

/** The result of a submitted clip. */
export interface SubmitResult {
  readonly path: string
  /** `unchanged`: indexed before with the same recipe; `queued`: not waited for. */
  readonly status: 'done' | 'unchanged' | 'partial' | 'forgotten' | 'failed' | 'queued' | 'skipped'
  readonly clipId?: string
  readonly tracks?: number
  readonly truncated?: boolean
  /** The file is damaged: this many seconds could not be decoded. */
  readonly damaged?: true
  readonly lostS?: number
  readonly leftOut?: readonly string[]
  readonly code?: string
  readonly message?: string
}

/** What was looked at of a clip, as its worker reported it. */
export interface LookedAt {
  readonly durationS?: number | undefined
  readonly frames?: number | undefined
  readonly faces?: number | undefined
}

export interface SubmitEvents {
  onFound(file: FoundFile): void
  onAllFound(): void
  onSubmitted(count: number): void
  onResult(result: SubmitResult, looked?: LookedAt): void
}

/** @param isOld reported before this submission: the clip is unchanged since then */
export function resultOf(status: StatusMessage, isOld: boolean): SubmitResult {
  const { uri, state, clipId, tracks, truncated, lostS, leftOut, failure } = status
  return {
    path: uri,
    status: state === 'indexed' ? (isOld ? 'unchanged' : 'done') : state,
    ...(clipId === undefined ? {} : { clipId }),
    ...(tracks === undefined ? {} : { tracks }),
    ...(truncated === true ? { truncated } : {}),
    ...damageOf(lostS),
    ...(leftOut === undefined ? {} : { leftOut }),
    ...(failure === undefined ? {} : { code: failure.code, message: failure.message }),
  }
}

export const lookedAt = ({ durationS, frames, faces }: StatusMessage): LookedAt => ({
  durationS,
  frames,
  faces,
})
