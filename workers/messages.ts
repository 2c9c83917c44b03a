import type { ClipInfo } from '../pipeline/decode/clip-info.js'
import type { ErrorCode } from '../pipeline/errors.js'
import type { DeviceChoice } from '../pipeline/models/device.js'
import type { Pack } from '../pipeline/models/pack.js'
import type { SegmentOutput, SegmentSpan } from '../pipeline/segment-builder.js'
import type { Settings } from '../pipeline/settings.js'

/** What a worker thread is started with. */
export interface ThreadSetup {
  readonly pack: Pack
  readonly modelsDir: string
  readonly settings: Settings
  readonly device: DeviceChoice
  readonly headFile: string | undefined
}

/** Which part of a clip is wanted. */
export type SegmentWish =
  /** A clip that is not planned yet: the thread plans it and does its first segment, or all if it cannot be cut. */
  | { readonly kind: 'open' }
  /** Consecutive segments of a planned clip. */
  | {
      readonly kind: 'segments'
      readonly segments: readonly SegmentSpan[]
      readonly seek: 'fast' | 'fromStart'
    }

export type ThreadWork =
  | { readonly kind: 'load' }
  | { readonly kind: 'hash'; readonly path: string }
  | { readonly kind: 'process'; readonly path: string; readonly wish: SegmentWish }

/** Replies carry the id of the work they belong to. */
export type ThreadRequest =
  { readonly kind: 'work'; readonly id: number; readonly work: ThreadWork } | { readonly kind: 'abort' }

export interface ClipPlan {
  readonly info: ClipInfo
  readonly segments: readonly SegmentSpan[]
  /** How many of them, from the first, this job does. */
  readonly taken: number
}

export type ThreadReply =
  | { readonly kind: 'ready'; readonly provider: string }
  | { readonly kind: 'planned'; readonly plan: ClipPlan }
  | { readonly kind: 'frames'; readonly count: number }
  | { readonly kind: 'segment'; readonly output: SegmentOutput }
  | { readonly kind: 'hashed'; readonly sha256: string }
  | { readonly kind: 'done' }
  | {
      readonly kind: 'failed'
      readonly code: ErrorCode
      readonly message: string
      readonly retriable: boolean
    }
