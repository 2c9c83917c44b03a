import type { MessagePort } from 'node:worker_threads'
import type { ClipInfo } from '../../pipeline/decode/clip-info.js'
import type { FaceEmbeddings } from '../../pipeline/describe/pooled-input.js'
import type { ErrorParts } from '../../pipeline/common/errors.js'
import type { ErrorDetails } from '../../pipeline/common/remedies.js'
import type { DeviceChoice } from '../../pipeline/models/device.js'
import type { ExtraEncoders } from '../../pipeline/models/packs/encoder-file.js'
import type { Pack } from '../../pipeline/models/packs/pack.js'
import type { Provider } from '../../pipeline/models/session.js'
import type { CheckpointUpdate, StoredCheckpoint } from '../../pipeline/segments/segment-checkpoint.js'
import type { Settings } from '../../pipeline/recipe/recipe.js'
import type { SegmentOutput, SegmentSpan } from '../../pipeline/segments/segment.js'

/** What a segment thread is started with. */
export interface ThreadSetup {
  readonly pack: Pack
  readonly modelsDir: string
  readonly settings: Settings
  readonly device: DeviceChoice
  readonly headFile: string | undefined
  readonly encoders?: ExtraEncoders
  /** A segment under work is written down whenever so much more of the video was looked at, s; without it never. */
  readonly checkpointEveryS?: number | undefined
}

/** What a segment thread finds as its `workerData`. */
export interface SegmentThreadData {
  readonly setup: ThreadSetup
  /** Models run in an inference thread, to which the owner gives a port; else in the segment thread itself. */
  readonly sharesModels: boolean
}

/** What an inference thread is started with. */
export interface InferenceSetup {
  readonly device: DeviceChoice
}

/** From the inference thread to its owner; with its clients it speaks over ports. */
export interface InferenceMessage {
  readonly kind: 'notice'
  readonly text: string
}

/** Which part of a clip is asked for. */
export type SegmentRequest = {
  /** What is there already of its first segment. */
  readonly resume?: StoredCheckpoint | undefined
} &
  /** A clip that is not planned yet: the thread plans it and does its first segment, or all if it cannot be cut. */
  (
    | {
        readonly kind: 'open'
        /** Of a clip in several segments that can be cut, none is done with the plan. */
        readonly isDivided?: boolean
        /** Of a clip that cannot be cut, what comes before this segment is done already. */
        readonly from?: number
      }
    /** Consecutive segments of a planned clip. */
    | {
        readonly kind: 'segments'
        readonly segments: readonly SegmentSpan[]
        readonly seek: 'fast' | 'fromStart'
      }
  )

export type ThreadWork =
  | { readonly kind: 'load' }
  | { readonly kind: 'hash'; readonly path: string }
  | { readonly kind: 'process'; readonly path: string; readonly request: SegmentRequest }

export type ThreadRequest =
  | { readonly kind: 'work'; readonly id: number; readonly work: ThreadWork }
  | { readonly kind: 'abort'; readonly id: number }
  /** The answer to `connect`. */
  | { readonly kind: 'connected'; readonly port: MessagePort }

/** From a segment thread to its owner. Replies carry the id of the work they belong to. */
export type ThreadMessage =
  | { readonly kind: 'reply'; readonly id: number; readonly reply: ThreadReply }
  /** A port to the inference thread is needed: the first, or in place of one whose thread died. */
  | { readonly kind: 'connect' }

export interface ClipPlan {
  readonly info: ClipInfo
  readonly segments: readonly SegmentSpan[]
  /** How many of them, from the first, this job does. */
  readonly taken: number
}

/** Frames looked at since the last word of them, and the faces in them. */
export interface FrameProgress {
  readonly count: number
  readonly faces: number
  /** Of the last one, s. */
  readonly timeS: number
}

export type ThreadReply =
  | { readonly kind: 'ready'; readonly provider: Provider }
  | { readonly kind: 'planned'; readonly plan: ClipPlan }
  | ({ readonly kind: 'frames' } & FrameProgress)
  | { readonly kind: 'segment'; readonly output: SegmentOutput }
  /** The segment under work as it is now. */
  | { readonly kind: 'checkpoint'; readonly update: CheckpointUpdate }
  /** The first segment is gone on with from there. */
  | { readonly kind: 'resumed'; readonly segment: number; readonly timeS: number }
  | { readonly kind: 'hashed'; readonly sha256: string }
  | { readonly kind: 'done' }
  | ({ readonly kind: 'failed' } & ErrorParts)

/** What a describe thread is started with. */
export interface DescribeSetup {
  readonly headFile: string
  readonly device: DeviceChoice
}

export interface DescribeRequest {
  readonly id: number
  /** The pack's. */
  readonly embedder: { readonly digest: string; readonly dimension: number }
  /** The embeddings of each track. */
  readonly tracks: readonly (readonly FaceEmbeddings[])[]
}

export type DescribeReply =
  | {
      readonly id: number
      readonly kind: 'described'
      readonly descriptors: readonly Float32Array[]
      /** Of the descriptors. */
      readonly dimension: number
    }
  | {
      readonly id: number
      readonly kind: 'failed'
      readonly message: string
      readonly details: ErrorDetails | undefined
    }
