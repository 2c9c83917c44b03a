import type { RgbImage } from '../data/image.js'
import type { ClipInfo } from './clip-info.js'
import type { DetectionRule } from './image-sizes.js'
import type { Sampling, TimeRange } from './sampling.js'
import type { DecodedBefore, DecodeSummary } from './summary.js'

export interface DecodeRequest {
  /** Absolute path. */
  readonly path: string
  readonly sampling: Sampling
  /** The range on the clip's own clock (seconds since its first timestamp), end exclusive, both multiples of 1/fps. */
  readonly startS: number
  /** Infinity for the last segment. */
  readonly endS: number
  /** `fromStart` decodes and skips everything before `startS`: for containers that cannot be cut. */
  readonly seek: 'fast' | 'fromStart'
  readonly detection: DetectionRule
  /** Without any sign of life from ffmpeg for so long, it is killed and the clip is CLIP_STUCK. Default 60. */
  readonly stallTimeoutS?: number
  /** Of the same clip, up to the range's first frame, which was decoded then too. */
  readonly before?: DecodedBefore
  /** Kills ffmpeg at once; the frames end with INTERRUPTED. */
  readonly signal?: AbortSignal
}

export interface DecodedFrame {
  /** True presentation time on the clip's own clock. */
  readonly timeS: number
  /** As displayed (rotated, square pixels); once a clip's size grew, larger than `ClipInfo` says. At most 3840×2160 pixels in count. */
  readonly full: RgbImage
  /** A smaller image for the detector; the same object as `full` where that is small enough. Both share one buffer. */
  readonly detection: RgbImage
  /** Of what was recorded between the frame before and this one, something could not be decoded. */
  readonly followsGap?: boolean
}

/** May be waited for in any order. What needs a reader of `frames` that never comes is settled by an abort or `close`. */
export interface DecodeHandle {
  /** Known before the first frame, also while nobody reads `frames`. Rejects with the same error as they do. */
  readonly info: Promise<ClipInfo>
  /** To be read once, in order. A frame's pixels are valid until the next frame is asked for. */
  readonly frames: AsyncIterable<DecodedFrame>
  /** Stretches of the range that could not be decoded, in order, as far as `frames` was read. */
  gapsS(): readonly TimeRange[]
  /** Resolves after the last frame, or after the reader left early. Rejects with the same error as `frames`. */
  readonly summary: Promise<DecodeSummary>
  /** What was met up to the frame that was read last. */
  readonly soFar: DecodedBefore
  /** Ends decoding and waits until no ffmpeg is left; needed only where `frames` is not read. */
  close(): Promise<void>
}
