import { scaleLandmarks, type FaceSample } from './analyse-frame.js'
import { normTerm } from './align/quality.js'
import { l2Normalise } from './embed/embed-faces.js'
import { embedFurther } from './embed/extra-embedders.js'
import { decodeFloat16 } from './embed/float16.js'
import type { FaceEmbeddings } from './head/pooled-input.js'
import type { RgbImage } from './image.js'
import { mapInFlight } from './in-flight.js'
import type { TrackFace, TrackOutput } from './segment-builder.js'
import type { Stages } from './stages.js'
import { encodeThumbnail } from './thumbnail.js'
import { findSplits } from './track/split.js'

/** A face that may be among the K best of its track; pixels are kept only for these. */
export interface Candidate {
  readonly timeS: number
  readonly sample: FaceSample
}

/** The picture of a track: of the face that was its best by far when it came. */
export interface Picture {
  readonly timeS: number
  readonly quality: number
  readonly image: RgbImage
}

/** An uninterrupted stretch of one person, its best faces embedded. Never changes again. */
export interface Tracklet {
  /** When the face was seen, in order. */
  readonly timesS: readonly number[]
  /** At least one, in order of time. */
  readonly faces: readonly TrackFace[]
  /** Of the same faces, where further embedders want them at the end; else none: they are most of a tracklet's bytes. */
  readonly alignedCrops: readonly RgbImage[]
  readonly thumbnailJpeg: Uint8Array
  /** Of the picture that the thumbnail is; undefined where it is no picture but the best face itself. */
  readonly pictureQuality?: number | undefined
}

/** What was gathered of a track that has ended. */
export interface EndedTrack {
  readonly timesS: readonly number[]
  readonly candidates: readonly Candidate[]
  readonly picture: Picture | undefined
}

/** Embeds the best faces of a track and parts it where they turn out to be of two people. */
export async function trackletsOf(
  { timesS, candidates, picture }: EndedTrack,
  stages: Stages,
  sourcePxPerPx: number,
): Promise<Tracklet[]> {
  const embedded = await mapInFlight(
    [...candidates].sort((a, b) => a.timeS - b.timeS),
    stages.embedder.inFlight ?? 1,
    async (candidate) => ({
      face: await embedFace(candidate, stages, sourcePxPerPx),
      alignedCrop: candidate.sample.alignedCrop,
    }),
  ).then((faces) => faces.filter(({ face }) => face.embedding.norm >= (stages.normRange?.low ?? 0)))
  const cutsS = findSplits(embedded.map(({ face }) => ({ timeS: face.timeS, vector: unitVector(face) }))).map(
    ({ afterS, untilS }) => (afterS + untilS) / 2,
  )
  const tracklets: Tracklet[] = []
  let afterS = -Infinity
  for (const untilS of [...cutsS, Infinity]) {
    const isInPart = (timeS: number) => timeS > afterS && timeS <= untilS
    const ofPart = embedded.filter(({ face }) => isInPart(face.timeS))
    const [best] = [...ofPart].sort((a, b) => byQuality(a.face, b.face))
    const own = picture !== undefined && isInPart(picture.timeS) ? picture : undefined
    if (best !== undefined)
      tracklets.push({
        timesS: timesS.filter(isInPart),
        faces: ofPart.map(({ face }) => face),
        alignedCrops: hasFurther(stages) ? ofPart.map(({ alignedCrop }) => alignedCrop) : [],
        thumbnailJpeg: await encodeThumbnail(own?.image ?? best.alignedCrop),
        ...(own === undefined ? {} : { pictureQuality: own.quality }),
      })
    afterS = untilS
  }
  return tracklets
}

async function embedFace(
  { timeS, sample }: Candidate,
  { embedder, normRange }: Stages,
  sourcePxPerPx: number,
): Promise<TrackFace> {
  const embedding = await embedder.embed(sample.alignedCrop)
  const [x1, y1, x2, y2] = sample.boxXyxyPx
  return {
    timeS,
    boxXyxyPx: [x1 * sourcePxPerPx, y1 * sourcePxPerPx, x2 * sourcePxPerPx, y2 * sourcePxPerPx],
    landmarksPx: scaleLandmarks(sample.landmarksPx, sourcePxPerPx),
    detectionScore: sample.detectionScore,
    quality: sample.quality * normTerm(embedding.norm, normRange),
    embedding,
  }
}

/** The tracklets of one person as a track: the best K faces of all of them. */
export async function joinTracklets(
  parts: readonly Tracklet[],
  number: number,
  stages: Stages,
): Promise<TrackOutput> {
  const best = parts
    .flatMap((part) => part.faces.map((face, i) => ({ part, face, alignedCrop: part.alignedCrops[i] })))
    .sort((a, b) => byQuality(a.face, b.face))
    .slice(0, stages.settings.facesPerTrack)
  const [top] = best
  if (top === undefined) throw new Error('a track has at least one face')
  const [pictured] = parts
    .flatMap((part) => (part.pictureQuality === undefined ? [] : [{ part, quality: part.pictureQuality }]))
    .sort((a, b) => b.quality - a.quality)
  const faces = await embedAgain(best, stages)
  return {
    number,
    spansS: parts.map(({ timesS }) => [timesS[0] ?? 0, timesS.at(-1) ?? 0] as const),
    samples: parts.reduce((sum, { timesS }) => sum + timesS.length, 0),
    quality: top.face.quality,
    faces,
    descriptor: await stages.describer.describe(faces.map(pooledFace)),
    thumbnailJpeg: (pictured?.part ?? top.part).thumbnailJpeg,
  }
}

async function embedAgain(
  faces: readonly { readonly face: TrackFace; readonly alignedCrop: RgbImage | undefined }[],
  stages: Stages,
): Promise<TrackFace[]> {
  if (!hasFurther(stages)) return faces.map(({ face }) => face)
  const crops = faces.flatMap(({ alignedCrop }) => alignedCrop ?? [])
  const extra = await embedFurther(crops, furtherOf(stages))
  return faces.map(({ face }, i) => ({ ...face, extraEmbeddings: extra[i] ?? [] }))
}

const furtherOf = ({ encoders, mirrored }: Stages) => [...encoders.embedders, ...mirrored]
const hasFurther = (stages: Stages) => furtherOf(stages).length > 0

/** A face as it is pooled into a descriptor. */
export const pooledFace = ({ embedding, quality, extraEmbeddings = [] }: TrackFace): FaceEmbeddings => ({
  ...{ float16: embedding.float16, quality, extraEmbeddings },
})

/** Best first; of equal faces the earlier. */
const byQuality = (a: TrackFace, b: TrackFace) => b.quality - a.quality || a.timeS - b.timeS

function unitVector(face: TrackFace): Float32Array {
  return l2Normalise(decodeFloat16(face.embedding.float16))
}
