import type { RgbImage } from '../data/image.js'
import type { ClipInfo } from './clip-info.js'
import type { DetectionRule } from './image-sizes.js'
import type { Sampling, TimeRange } from './sampling.js'
import type { DecodedBefore, DecodeSummary } from './summary.js'

export interface DecodeRequest {
  /** Absolute path. */
  readonly path: string
  readonly sampling: Sampling
  /**
   * The range on the clip's own clock (seconds since its first timestamp), end exclusive. Both are multiples of 1/fps.
   */
  readonly startS: number
  /** Infinity for the last segment. */
  readonly endS: number
  /** `fromStart` decodes and skips everything before `startS`; it is for containers that cannot be cut. */
  readonly seek: 'fast' | 'fromStart'
  readonly detection: DetectionRule
  /** If ffmpeg gives no sign of life for this long, it is killed and the clip fails with CLIP_STUCK. Default 60. */
  readonly stallTimeoutS?: number
  /** What an earlier run found in the same clip, up to and including the range's first frame. */
  readonly before?: DecodedBefore
  /** Kills ffmpeg at once; the frames end with INTERRUPTED. */
  readonly signal?: AbortSignal
}

export interface DecodedFrame {
  /** True presentation time on the clip's own clock. */
  readonly timeS: number
  /**
   * As displayed (rotated, square pixels). If the clip's size grows, larger than `ClipInfo` says. Width times height is
   * at most 3840×2160.
   */
  readonly full: RgbImage
  /** A smaller image for the detector; the same object as `full` if that is small enough. Both share one buffer. */
  readonly detection: RgbImage
  /** Something that was recorded between the previous frame and this one could not be decoded. */
  readonly followsGap?: boolean
}

/**
 * Its parts may be awaited in any order. If nobody reads `frames`, an abort or `close` settles the promises that depend
 * on a reader.
 */
export interface DecodeHandle {
  /** Known before the first frame, even while nobody reads `frames`. Rejects with the same error as `frames`. */
  readonly info: Promise<ClipInfo>
  /** Can be read once, in order. A frame's pixels are valid until the next frame is requested. */
  readonly frames: AsyncIterable<DecodedFrame>
  /** Stretches of the range that could not be decoded, in order, up to where `frames` was read. */
  gapsS(): readonly TimeRange[]
  /** Resolves after the last frame, or after the reader stopped early. Rejects with the same error as `frames`. */
  readonly summary: Promise<DecodeSummary>
  /** What was found up to the last frame that was read. */
  readonly soFar: DecodedBefore
  /** Ends decoding and waits until ffmpeg has exited. Needed only if `frames` is not read. */
  close(): Promise<void>
}
