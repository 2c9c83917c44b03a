import {
  alignAndMeasure,
  appearanceOf,
  scaleFace,
  type FaceSample,
  type FoundFace,
  type FrameImages,
} from './analyse-frame.js'
import { bestPossibleQuality } from './align/quality.js'
import { poolEmbeddings } from './describe/pool.js'
import type { ContextFeature } from './embed/encode-context.js'
import type { Embedding } from './embed/embed-faces.js'
import type { ExtraEmbedding } from './embed/extra-embedders.js'
import {
  createSegmentContext,
  type SegmentContext,
  type SegmentContextState,
} from './embed/segment-context.js'
import type { BoxXyxyPx, Landmarks5Px } from './geometry.js'
import type { RgbImage } from './image.js'
import { mapInFlight } from './in-flight.js'
import type { Provider } from './models/session.js'
import type { Stages } from './stages.js'
import { cropThumbnail } from './thumbnail.js'
import { mergeTracklets } from './track/merge.js'
import { createTracker, type Track, type Tracker, type TrackerState } from './track/tracker.js'
import {
  joinTracklets,
  pooledFace,
  trackletsOf,
  type Candidate,
  type Picture,
  type Tracklet,
} from './tracklet.js'

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

/** What is kept of a track that is in sight. */
interface BestFaces {
  readonly candidates: Candidate[]
  picture: Picture | undefined
}

/** A segment under work, between two of its frames. Candidates and pictures hold pixels of faces. */
export interface SegmentState {
  /** Looked at so far, and faces found in them. */
  readonly frames: number
  readonly faces: number
  readonly tracker: TrackerState<undefined>
  /** Of the tracks in sight. */
  readonly best: readonly {
    readonly trackId: number
    readonly candidates: readonly Candidate[]
    readonly picture?: Picture | undefined
  }[]
  /** Only ever added to. */
  readonly tracklets: readonly Tracklet[]
  readonly context?: SegmentContextState | undefined
}

/** Tracklets of one segment this alike are one person: well above the match threshold, for joining wrongly costs more. */
export const mergeSimilarity = 0.5

/** A thumbnail is taken anew only where a face is this much better than the one before. */
const betterBy = 1.1

/** Gathers the frames of one segment and makes tracks of them. */
export class SegmentBuilder {
  readonly #stages: Stages
  readonly #sourcePxPerPx: number
  readonly #tracker: Tracker<undefined>
  readonly #best: Map<number, BestFaces>
  readonly #tracklets: Tracklet[]
  readonly #context: SegmentContext | undefined
  #frames: number
  #faces: number

  /** @param from of a builder with the same stages and sizes, which is gone on with: the result is the same to the bit */
  constructor(stages: Stages, sourcePxPerPx: number, from?: SegmentState) {
    this.#stages = stages
    this.#sourcePxPerPx = sourcePxPerPx
    this.#tracker = createTracker({ highScore: stages.highScore, lowScore: stages.minScore }, from?.tracker)
    this.#best = new Map(
      from?.best.map(({ trackId, candidates, picture }) => [
        trackId,
        { candidates: [...candidates], picture },
      ]),
    )
    this.#tracklets = [...(from?.tracklets ?? [])]
    this.#context = createSegmentContext(stages.encoders.contexts, from?.context)
    this.#frames = from?.frames ?? 0
    this.#faces = from?.faces ?? 0
  }

  async addFrame(frame: SegmentFrame, faces: readonly FoundFace[]): Promise<void> {
    if (frame.followsGap === true) for (const track of this.#tracker.finish()) await this.#close(track)
    this.#frames++
    this.#faces += faces.length
    this.#context?.addFrame(frame.timeS, frame.detection)
    const { ended, trackIds } = this.#tracker.update({
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
      return trackId !== undefined && this.#isPromising(trackId, face, frame.full) ? [{ trackId, face }] : []
    })
    const samples = await mapInFlight(
      promising,
      this.#stages.landmarker?.inFlight ?? 1,
      async ({ trackId, face }) => ({
        trackId,
        sample: await alignAndMeasure(face, frame.full, this.#stages),
      }),
    )
    for (const { trackId, sample } of samples) this.#consider(trackId, frame, sample)
    for (const track of ended) await this.#close(track)
  }

  /** The segment's tracks; nothing can be added any more. */
  async finish(segment: SegmentSpan, truncated: boolean): Promise<SegmentOutput> {
    for (const track of this.#tracker.finish()) await this.#close(track)
    const { provider, embedder } = this.#stages
    const groups = mergeTracklets(
      this.#tracklets.map(({ timesS, faces }) => ({
        startS: timesS[0] ?? 0,
        endS: timesS.at(-1) ?? 0,
        vector: poolEmbeddings(faces.map(pooledFace), embedder.dimension),
        weight: faces.length,
      })),
      { minSimilarity: mergeSimilarity },
    )
    const tracks: TrackOutput[] = []
    for (const group of groups) {
      const parts = group.flatMap((index) => this.#tracklets[index] ?? [])
      tracks.push(await joinTracklets(parts, tracks.length, this.#stages))
    }
    const output = { segment, tracks, frames: this.#frames, faces: this.#faces, truncated, provider }
    return this.#context === undefined ? output : { ...output, contexts: await this.#context.encode() }
  }

  /** To be written down before the next frame, which changes it. */
  snapshot(): SegmentState {
    const context = this.#context?.snapshot()
    return {
      frames: this.#frames,
      faces: this.#faces,
      tracker: this.#tracker.snapshot(),
      best: [...this.#best].map(([trackId, { candidates, picture }]) => ({ trackId, candidates, picture })),
      tracklets: this.#tracklets,
      ...(context === undefined ? {} : { context }),
    }
  }

  /** A face that cannot be among its track's best is not even aligned. */
  #isPromising(trackId: number, face: FoundFace, frame: RgbImage): boolean {
    const best = this.#best.get(trackId)?.candidates ?? []
    const worst = best.at(-1)
    return (
      best.length < this.#stages.settings.facesPerTrack ||
      worst === undefined ||
      bestPossibleQuality(face, frame) > worst.sample.quality
    )
  }

  #consider(trackId: number, frame: SegmentFrame, sample: FaceSample): void {
    const { timeS, full, usualPxPerPx = 1 } = frame
    const best = this.#best.get(trackId) ?? { candidates: [], picture: undefined }
    this.#best.set(trackId, best)
    const { candidates } = best
    candidates.push({ timeS, sample: scaleFace(sample, usualPxPerPx) })
    const { quality } = sample
    if (quality > (best.picture?.quality ?? 0) * betterBy)
      best.picture = { timeS, quality, image: cropThumbnail(full, sample.boxXyxyPx) }
    // Stable: of equal faces the earlier stays in front.
    candidates.sort((a, b) => b.sample.quality - a.sample.quality)
    candidates.length = Math.min(candidates.length, this.#stages.settings.facesPerTrack)
  }

  async #close({ id, observations }: Track<undefined>): Promise<void> {
    const { candidates = [], picture } = this.#best.get(id) ?? {}
    this.#best.delete(id)
    const timesS = observations.map(({ timeS }) => timeS)
    const ended = { timesS, candidates, picture }
    this.#tracklets.push(...(await trackletsOf(ended, this.#stages, this.#sourcePxPerPx)))
  }
}
