import type { RgbImage } from '../data/image.js'
import type { FaceSample } from '../faces/analyse-frame.js'
import type { TrackFace } from './track-face.js'

/** A face of one frame, aligned, with its quality. */
export interface Candidate {
  readonly timeS: number
  readonly sample: FaceSample
}

/** A candidate with its embedding, if it was embedded; null if the embedding shows that it is not a face. */
export interface Look extends Candidate {
  face?: TrackFace | null | undefined
}

/** A face with its surroundings, taken when it was the best of its stretch. */
export interface Picture {
  readonly timeS: number
  readonly quality: number
  readonly image: RgbImage
}

/** An embedded face, with its pixels if further embedders need them at the end. */
export interface StretchFace {
  readonly face: TrackFace
  readonly alignedCrop?: RgbImage | undefined
}

/** Up to a second of a track. */
export interface Window {
  readonly looks: Look[]
  picture: Picture | undefined
  /** Patch of its first face: 16×16 grey values, normalised. */
  patch?: Float32Array | undefined
}

/** Consecutive faces of one track that look like one person. */
export interface Stretch {
  /** Times at which the face was seen, in order. */
  readonly timesS: number[]
  /** In order of time: the best face of each second, and more if that face was doubtful. */
  faces: StretchFace[]
  /** The best K of the other faces, best first. */
  readonly candidates: Candidate[]
  picture: Picture | undefined
}

/** A new picture is taken only if a face is this much better than the pictured one. */
const betterBy = 1.1

export const newStretch = (): Stretch => ({ timesS: [], faces: [], candidates: [], picture: undefined })
export const newWindow = (): Window => ({ looks: [], picture: undefined })

export const embedded = (face: TrackFace, { sample }: Candidate, keepsCrops: boolean): StretchFace =>
  keepsCrops ? { face, alignedCrop: sample.alignedCrop } : { face }

/** Whether a face of this quality is worth a new picture. */
export const isWorthTaking = (quality: number, picture: Picture | undefined): boolean =>
  picture === undefined || quality > picture.quality * betterBy

/** If none of these faces has a picture: the best face, as it was aligned. */
export function alignedPicture(looks: readonly Look[]): Picture | undefined {
  const [best] = [...looks].sort(byQuality)
  if (best === undefined) return undefined
  const { quality, alignedCrop } = best.sample
  return { timeS: best.timeS, quality, image: alignedCrop }
}

export const byQuality = (a: Candidate, b: Candidate) => b.sample.quality - a.sample.quality
