import type { ContextFeature } from '../embed/encode-context.js'
import type { Provider } from '../models/session.js'
import type { TrackFace } from './track-face.js'

/** A stretch of a clip, s; `endS` exclusive, Infinity for the last. */
export interface SegmentSpan {
  readonly index: number
  readonly startS: number
  readonly endS: number
}

/** One person in one segment. */
export interface TrackOutput {
  /** Counts from 0 within the segment, in order of time. */
  readonly number: number
  /** Stretches in which the person was seen, in order, s. */
  readonly spansS: readonly (readonly [startS: number, endS: number])[]
  /** Sampled frames in which the face was found. */
  readonly samples: number
  /** Of the best face. */
  readonly quality: number
  /** Best first. */
  readonly faces: readonly TrackFace[]
  /** L2-normalised. */
  readonly descriptor: Float32Array
  readonly thumbnailJpeg: Uint8Array
}

export interface SegmentOutput {
  readonly segment: SegmentSpan
  readonly tracks: readonly TrackOutput[]
  /** Frames looked at, faces found in them. */
  readonly frames: number
  readonly faces: number
  /** The file ended before it should have. */
  readonly truncated: boolean
  readonly provider: Provider
  /** One a context encoder, where there are any and a frame was seen. */
  readonly contexts?: readonly ContextFeature[]
  /** What of the segment could not be decoded, in order, s. Absent where that is nothing. */
  readonly gapsS?: readonly (readonly [startS: number, endS: number])[]
}
