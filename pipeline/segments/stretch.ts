import type { RgbImage } from '../data/image.js'
import type { FaceSample } from '../faces/analyse-frame.js'
import type { TrackFace } from './track-face.js'

/** A face of one frame, aligned and judged. */
export interface Candidate {
  readonly timeS: number
  readonly sample: FaceSample
}

/** The same, and what its embedding says, where it was embedded: null where that is no face's. */
export interface Look extends Candidate {
  face?: TrackFace | null | undefined
}

/** A face and what is around it, as the best of its stretch when it came. */
export interface Picture {
  readonly timeS: number
  readonly quality: number
  readonly image: RgbImage
}

/** An embedded face, with its pixels where further embedders want them at the end. */
export interface StretchFace {
  readonly face: TrackFace
  readonly alignedCrop?: RgbImage | undefined
}

/** Up to a second of a track. */
export interface Window {
  readonly looks: Look[]
  picture: Picture | undefined
  /** Of its first face, 16×16 grey values, normalised. */
  patch?: Float32Array | undefined
}

/** Faces of one track that follow each other and look like one person. */
export interface Stretch {
  /** When the face was seen, in order. */
  readonly timesS: number[]
  /** In order of time: the best of each second, and more where that was doubtful. */
  faces: StretchFace[]
  /** The best K of the others, best first. */
  readonly candidates: Candidate[]
  picture: Picture | undefined
}

/** A picture is taken anew only where a face is this much better than the one before. */
const betterBy = 1.1

export const newStretch = (): Stretch => ({ timesS: [], faces: [], candidates: [], picture: undefined })
export const newWindow = (): Window => ({ looks: [], picture: undefined })

export const embedded = (face: TrackFace, { sample }: Candidate, keepsCrops: boolean): StretchFace =>
  keepsCrops ? { face, alignedCrop: sample.alignedCrop } : { face }

/** Is a face of this quality worth a picture, after the one that there is? */
export const isWorthTaking = (quality: number, picture: Picture | undefined): boolean =>
  picture === undefined || quality > picture.quality * betterBy

/** Where no picture was taken of any of these faces: the best as it was aligned. */
export function alignedPicture(looks: readonly Look[]): Picture | undefined {
  const [best] = [...looks].sort(byQuality)
  if (best === undefined) return undefined
  const { quality, alignedCrop } = best.sample
  return { timeS: best.timeS, quality, image: alignedCrop }
}

export const byQuality = (a: Candidate, b: Candidate) => b.sample.quality - a.sample.quality
