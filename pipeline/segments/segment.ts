import type { ContextFeature } from '../embed/encode-context.js'
import type { Provider } from '../models/session.js'
import type { TrackFace } from './track-face.js'

/** A part of a clip, s; `endS` is exclusive, and Infinity for the last segment. */
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
  /** Quality of the best face. */
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
  /** Number of processed frames, and of faces found in them. */
  readonly frames: number
  readonly faces: number
  /** The file ended before it should have. */
  readonly truncated: boolean
  readonly provider: Provider
  /** One per context encoder, if there are encoders and at least one frame. */
  readonly contexts?: readonly ContextFeature[]
  /** Stretches of the segment that could not be decoded, in order, s. Absent if there are none. */
  readonly gapsS?: readonly (readonly [startS: number, endS: number])[]
}
