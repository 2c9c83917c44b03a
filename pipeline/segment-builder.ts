import {
  alignAndMeasure,
  appearanceOf,
  scaleFace,
  scaleLandmarks,
  type FaceSample,
  type FoundFace,
  type FrameImages,
} from './analyse-frame.js'
import { bestPossibleQuality, normTerm } from './align/quality.js'
import { poolEmbeddings, type WeightedEmbedding } from './describe/pool.js'
import type { ContextFeature } from './embed/encode-context.js'
import { l2Normalise, type Embedding } from './embed/embed-faces.js'
import { embedFurther, type ExtraEmbedding } from './embed/extra-embedders.js'
import { decodeFloat16 } from './embed/float16.js'
import { createSegmentContext } from './embed/segment-context.js'
import type { BoxXyxyPx, Landmarks5Px } from './geometry.js'
import type { FaceEmbeddings } from './head/pooled-input.js'
import type { RgbImage } from './image.js'
import { mapInFlight } from './in-flight.js'
import type { Provider } from './models/session.js'
import type { Stages } from './stages.js'
import { cropThumbnail, encodeThumbnail } from './thumbnail.js'
import { mergeTracklets } from './track/merge.js'
import { findSplits } from './track/split.js'
import { createTracker, type Track } from './track/tracker.js'

/** A stretch of a clip, s; `endS` exclusive, Infinity for the last. */
export interface SegmentSpan {
  readonly index: number
  readonly startS: number
  readonly endS: number
}

/** One of the K best faces of a track. Coordinates in pixels of the clip as displayed. */
export interface TrackFace {
  readonly timeS: number
  readonly boxXyxyPx: BoxXyxyPx
  readonly landmarksPx: Landmarks5Px
  readonly detectionScore: number
  /** 0..1, with the norm term. */
  readonly quality: number
  readonly embedding: Embedding
  /** Of further embedders, where there are any. */
  readonly extraEmbeddings?: readonly ExtraEmbedding[]
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

/** A frame of the segment; faces in it are in pixels of `full`. */
export interface SegmentFrame extends FrameImages {
  readonly timeS: number
  /** Something before it could not be decoded: nobody is followed from before to here. */
  readonly followsGap?: boolean
  /** Pixels of the segment's usual frames over those of this one, which is larger: the clip's size changed. Default 1. */
  readonly usualPxPerPx?: number
}

export interface SegmentBuilder {
  addFrame(frame: SegmentFrame, faces: readonly FoundFace[]): Promise<void>
  finish(segment: SegmentSpan, truncated: boolean): Promise<SegmentOutput>
}

/** A face that may be among the K best of its track; pixels are kept only for these. */
interface Candidate {
  readonly timeS: number
  readonly sample: FaceSample
}

/** The picture of a track: of the face that was its best by far when it came. */
interface Picture {
  readonly timeS: number
  readonly quality: number
  readonly image: RgbImage
}

interface EmbeddedFace {
  readonly face: TrackFace
  readonly candidate: Candidate
}

/** An uninterrupted stretch of one person, its best faces embedded. */
interface Tracklet {
  /** When the face was seen, in order. */
  readonly timesS: readonly number[]
  readonly embedded: readonly EmbeddedFace[]
  readonly picture: Picture | undefined
}

/** Tracklets of one segment this alike are one person: well above the match threshold, for joining wrongly costs more. */
export const mergeSimilarity = 0.5

/** A thumbnail is taken anew only where a face is this much better than the one before. */
const betterBy = 1.1

/** Gathers the frames of one segment and makes tracks of them. */
export function createSegmentBuilder(stages: Stages, sourcePxPerPx: number): SegmentBuilder {
  const { settings, embedder, encoders } = stages
  const further = [...encoders.embedders, ...stages.mirrored]
  const tracker = createTracker<undefined>({ highScore: stages.highScore, lowScore: stages.minScore })
  const candidates = new Map<number, Candidate[]>()
  const pictures = new Map<number, Picture>()
  const tracklets: Tracklet[] = []
  const context = createSegmentContext(encoders.contexts)
  let frames = 0
  let faceCount = 0

  /** A face that cannot be among its track's best is not even aligned. */
  function isPromising(trackId: number, face: FoundFace, frame: RgbImage): boolean {
    const best = candidates.get(trackId) ?? []
    const worst = best.at(-1)
    return (
      best.length < settings.facesPerTrack ||
      worst === undefined ||
      bestPossibleQuality(face, frame) > worst.sample.quality
    )
  }

  function consider(
    trackId: number,
    { timeS, full, usualPxPerPx = 1 }: SegmentFrame,
    sample: FaceSample,
  ): void {
    const best = candidates.get(trackId) ?? []
    candidates.set(trackId, best)
    best.push({ timeS, sample: scaleFace(sample, usualPxPerPx) })
    if (sample.quality > (pictures.get(trackId)?.quality ?? 0) * betterBy)
      pictures.set(trackId, { timeS, quality: sample.quality, image: cropThumbnail(full, sample.boxXyxyPx) })
    // Stable: of equal faces the earlier stays in front.
    best.sort((a, b) => b.sample.quality - a.sample.quality)
    best.length = Math.min(best.length, settings.facesPerTrack)
  }

  async function embedFace({ timeS, sample }: Candidate): Promise<TrackFace> {
    const embedding = await embedder.embed(sample.alignedCrop)
    const [x1, y1, x2, y2] = sample.boxXyxyPx
    return {
      timeS,
      boxXyxyPx: [x1 * sourcePxPerPx, y1 * sourcePxPerPx, x2 * sourcePxPerPx, y2 * sourcePxPerPx],
      landmarksPx: scaleLandmarks(sample.landmarksPx, sourcePxPerPx),
      detectionScore: sample.detectionScore,
      quality: sample.quality * normTerm(embedding.norm, stages.normRange),
      embedding,
    }
  }

  async function close(track: Track<undefined>): Promise<void> {
    const best = candidates.get(track.id) ?? []
    const picture = pictures.get(track.id)
    candidates.delete(track.id)
    pictures.delete(track.id)
    const embedded = await mapInFlight(
      [...best].sort((a, b) => a.timeS - b.timeS),
      embedder.inFlight ?? 1,
      async (candidate): Promise<EmbeddedFace> => ({ face: await embedFace(candidate), candidate }),
    ).then((faces) => faces.filter(({ face }) => face.embedding.norm >= (stages.normRange?.low ?? 0)))
    const cutsS = findSplits(
      embedded.map(({ face }) => ({ timeS: face.timeS, vector: unitVector(face) })),
    ).map(({ afterS, untilS }) => (afterS + untilS) / 2)
    let afterS = -Infinity
    for (const untilS of [...cutsS, Infinity]) {
      const isInPart = ({ timeS }: { readonly timeS: number }) => timeS > afterS && timeS <= untilS
      const ofPart = embedded.filter(({ face }) => isInPart(face))
      const timesS = track.observations.filter(isInPart).map(({ timeS }) => timeS)
      const ownPicture = picture !== undefined && isInPart(picture) ? picture : undefined
      if (ofPart.length > 0) tracklets.push({ timesS, embedded: ofPart, picture: ownPicture })
      afterS = untilS
    }
  }

  const pool = (faces: readonly EmbeddedFace[]) => poolEmbeddings(faces.map(weighted), embedder.dimension)

  /** The parts of one person as a track: the best K faces of all of them. */
  async function joinParts(parts: readonly Tracklet[], number: number): Promise<TrackOutput> {
    const best = parts
      .flatMap(({ embedded }) => embedded)
      .sort((a, b) => b.face.quality - a.face.quality || a.face.timeS - b.face.timeS)
      .slice(0, settings.facesPerTrack)
    const [top] = best
    if (top === undefined) throw new Error('a track has at least one face')
    const [picture] = parts.flatMap((part) => part.picture ?? []).sort((a, b) => b.quality - a.quality)
    const faces = further.length === 0 ? best.map(({ face }) => face) : await embedAgain(best)
    return {
      number,
      spansS: parts.map(({ timesS }) => [timesS[0] ?? 0, timesS.at(-1) ?? 0] as const),
      samples: parts.reduce((sum, { timesS }) => sum + timesS.length, 0),
      quality: top.face.quality,
      faces,
      descriptor: await stages.describer.describe(faces.map(pooledFace)),
      thumbnailJpeg: await encodeThumbnail(picture?.image ?? top.candidate.sample.alignedCrop),
    }
  }

  async function embedAgain(faces: readonly EmbeddedFace[]): Promise<TrackFace[]> {
    const crops = faces.map(({ candidate }) => candidate.sample.alignedCrop)
    const extra = await embedFurther(crops, further)
    return faces.map(({ face }, i) => ({ ...face, extraEmbeddings: extra[i] ?? [] }))
  }

  return {
    async addFrame(frame, faces) {
      if (frame.followsGap === true) for (const track of tracker.finish()) await close(track)
      frames++
      faceCount += faces.length
      context?.addFrame(frame.timeS, frame.detection)
      const { ended, trackIds } = tracker.update({
        timeS: frame.timeS,
        image: frame.detection,
        inputs: faces.map((face) => ({
          box: scaleFace(face, frame.usualPxPerPx ?? 1).boxXyxyPx,
          score: face.detectionScore,
          appearance: appearanceOf(face, frame),
          payload: undefined,
        })),
      })
      const promising = faces.flatMap((face, index) => {
        const trackId = trackIds[index]
        return trackId !== undefined && isPromising(trackId, face, frame.full) ? [{ trackId, face }] : []
      })
      const samples = await mapInFlight(
        promising,
        stages.landmarker?.inFlight ?? 1,
        async ({ trackId, face }) => ({
          trackId,
          sample: await alignAndMeasure(face, frame.full, stages),
        }),
      )
      for (const { trackId, sample } of samples) consider(trackId, frame, sample)
      for (const track of ended) await close(track)
    },
    async finish(segment, truncated) {
      for (const track of tracker.finish()) await close(track)
      const groups = mergeTracklets(
        tracklets.map(({ timesS, embedded }) => ({
          startS: timesS[0] ?? 0,
          endS: timesS.at(-1) ?? 0,
          vector: pool(embedded),
          weight: embedded.length,
        })),
        { minSimilarity: mergeSimilarity },
      )
      const tracks: TrackOutput[] = []
      for (const group of groups)
        tracks.push(
          await joinParts(
            group.flatMap((index) => tracklets[index] ?? []),
            tracks.length,
          ),
        )
      const output = { segment, tracks, frames, faces: faceCount, truncated, provider: stages.provider }
      return context === undefined ? output : { ...output, contexts: await context.encode() }
    },
  }
}

function weighted({ face }: EmbeddedFace): WeightedEmbedding {
  return { float16: face.embedding.float16, quality: face.quality }
}

export const pooledFace = ({ embedding, quality, extraEmbeddings = [] }: TrackFace): FaceEmbeddings => ({
  ...{ float16: embedding.float16, quality, extraEmbeddings },
})

function unitVector(face: TrackFace): Float32Array {
  return l2Normalise(decodeFloat16(face.embedding.float16))
}
