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

/** Start options of a segment thread. */
export interface ThreadSetup {
  readonly pack: Pack
  readonly modelsDir: string
  readonly settings: Settings
  readonly device: DeviceChoice
  readonly headFile: string | undefined
  readonly encoders?: ExtraEncoders
  /**
   * The state of a running segment is stored each time this much more video was looked at, s. Without it,
   * never.
   */
  readonly checkpointEveryS?: number | undefined
}

/** The `workerData` of a segment thread. */
export interface SegmentThreadData {
  readonly setup: ThreadSetup
  /**
   * Models run in an inference thread, to which the owner sends a port; else in the segment thread itself.
   */
  readonly sharesModels: boolean
}

/** Start options of an inference thread. */
export interface InferenceSetup {
  readonly device: DeviceChoice
}

/** From the inference thread to its owner. It talks to its clients through ports. */
export interface InferenceMessage {
  readonly kind: 'notice'
  readonly text: string
}

/** Which part of a clip to process. */
export type SegmentRequest = {
  /** The checkpoint of its first segment. */
  readonly resume?: StoredCheckpoint | undefined
} &
  /**
   * A clip without a plan: the thread plans it and processes its first segment, or all segments if the clip
   * cannot be cut.
   */
  (
    | {
        readonly kind: 'open'
        /** If the clip has several segments and can be cut, only plan it and process no segment. */
        readonly isDivided?: boolean
        /** If the clip cannot be cut, the segments before this one are already done. */
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

/** From a segment thread to its owner. Replies carry the id of their work. */
export type ThreadMessage =
  | { readonly kind: 'reply'; readonly id: number; readonly reply: ThreadReply }
  /**
   * The thread needs a port to the inference thread: the first one, or a new one after the inference thread
   * died.
   */
  | { readonly kind: 'connect' }

export interface ClipPlan {
  readonly info: ClipInfo
  readonly segments: readonly SegmentSpan[]
  /** How many segments, from the first, this job processes. */
  readonly taken: number
}

/** Frames looked at since the last progress message, and the faces in them. */
export interface FrameProgress {
  readonly count: number
  readonly faces: number
  /** Time of the last frame, s. */
  readonly timeS: number
}

export type ThreadReply =
  | { readonly kind: 'ready'; readonly provider: Provider }
  | { readonly kind: 'planned'; readonly plan: ClipPlan }
  | ({ readonly kind: 'frames' } & FrameProgress)
  | { readonly kind: 'segment'; readonly output: SegmentOutput }
  /** The current state of the running segment. */
  | { readonly kind: 'checkpoint'; readonly update: CheckpointUpdate }
  /** The first segment continues from this time. */
  | { readonly kind: 'resumed'; readonly segment: number; readonly timeS: number }
  | { readonly kind: 'hashed'; readonly sha256: string }
  | { readonly kind: 'done' }
  | ({ readonly kind: 'failed' } & ErrorParts)

/** Start options of a describe thread. */
export interface DescribeSetup {
  readonly headFile: string
  readonly device: DeviceChoice
}

export interface DescribeRequest {
  readonly id: number
  /** The pack's embedder. */
  readonly embedder: { readonly digest: string; readonly dimension: number }
  /** The embeddings of each track. */
  readonly tracks: readonly (readonly FaceEmbeddings[])[]
}

export type DescribeReply =
  | {
      readonly id: number
      readonly kind: 'described'
      readonly descriptors: readonly Float32Array[]
      /** Number of values of a descriptor. */
      readonly dimension: number
    }
  | {
      readonly id: number
      readonly kind: 'failed'
      readonly message: string
      readonly details: ErrorDetails | undefined
    }
