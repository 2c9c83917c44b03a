import pMap from 'p-map'
import {
  alignAndMeasure,
  appearanceOf,
  scaleFace,
  type FoundFace,
  type FrameImages,
} from '../faces/analyse-frame.js'
import { normTerm } from '../align/quality.js'
import type { ClipView } from './clip-view.js'
import {
  createSegmentContext,
  type SegmentContext,
  type SegmentContextState,
} from '../embed/segment-context.js'
import { FollowedFace, type FollowedState, type FollowOptions } from './followed-face.js'
import type { Stretch } from './stretch.js'
import type { Stages } from '../stages/load-pipeline.js'
import { cropThumbnail } from '../image/thumbnail.js'
import { pooledVector, type TrackFace } from './track-face.js'
import { mergeTracklets } from '../track/merge.js'
import { Tracker, type TrackerState } from '../track/tracker.js'
import { followOptions, joinTracklets, trackletOf, type Tracklet } from './tracklet.js'
import type { SegmentSpan, TrackOutput, SegmentOutput } from './segment.js'

/** A frame of the segment; its faces are in pixels of `full`. */
export interface SegmentFrame extends FrameImages {
  readonly timeS: number
  /** Something before this frame could not be decoded: no face is followed across that gap. */
  readonly followsGap?: boolean
  /**
   * Pixels of the segment's usual frames per pixel of this frame, which is larger because the clip's size changed.
   * Default 1.
   */
  readonly usualPxPerPx?: number
}

/** A segment in progress, between two of its frames. Candidates and pictures contain pixels of faces. */
export interface SegmentState {
  /** Number of processed frames, and of faces found in them. */
  readonly frames: number
  readonly faces: number
  /** See `SegmentBuilder.seen`. */
  readonly plausibility: number
  readonly tracker: TrackerState<undefined>
  /** The tracks that are in view. */
  readonly followed: readonly (FollowedState & { readonly trackId: number })[]
  /** Tracklets are only added, never changed. */
  readonly tracklets: readonly Tracklet[]
  readonly context?: SegmentContextState | undefined
}

/**
 * Tracklets of one segment with this similarity are one person. It is well above the match threshold, because a wrong
 * join costs more than a missed one.
 */
export const mergeSimilarity = 0.5

/**
 * The same for tracklets of one track. Two similar women in front of one backdrop had 0.30; one person is far above
 * this value from one second to the next.
 */
const mergeSimilarityInTrack = 0.45

/** Collects the frames of one segment and makes tracks from them. */
export class SegmentBuilder {
  readonly #stages: Stages
  readonly #follow: FollowOptions
  readonly #tracker: Tracker<undefined>
  readonly #followed: Map<number, FollowedFace>
  readonly #tracklets: Tracklet[]
  readonly #context: SegmentContext | undefined
  #frames: number
  #faces: number
  #plausibility: number

  /** @param from the state of a builder with the same stages and sizes, to continue it; the result is bit-identical */
  constructor(stages: Stages, view: ClipView, from?: SegmentState) {
    this.#stages = stages
    const { embed, ...follow } = followOptions(stages, view)
    this.#follow = { ...follow, embed: async (candidate) => this.#judge(await embed(candidate)) }
    this.#tracker = new Tracker({ highScore: stages.highScore, lowScore: stages.minScore }, from?.tracker)
    this.#followed = new Map(
      from?.followed.map(({ trackId, ...state }) => [trackId, new FollowedFace(this.#follow, state)]),
    )
    this.#tracklets = [...(from?.tracklets ?? [])]
    this.#context = createSegmentContext(stages.encoders.contexts, from?.context)
    this.#frames = from?.frames ?? 0
    this.#faces = from?.faces ?? 0
    this.#plausibility = from?.plausibility ?? 0
  }

  /**
   * Number of processed frames, and how certain it is that the best embedded face is a face: the norm term of its
   * quality, 0..1.
   */
  get seen(): { readonly frames: number; readonly plausibility: number } {
    return { frames: this.#frames, plausibility: this.#plausibility }
  }

  #judge(face: TrackFace | null): TrackFace | null {
    if (face !== null)
      this.#plausibility = Math.max(this.#plausibility, normTerm(face.embedding.norm, this.#stages.normRange))
    return face
  }

  async addFrame(frame: SegmentFrame, faces: readonly FoundFace[]): Promise<void> {
    if (frame.followsGap === true) await this.#closeAll(this.#tracker.finish())
    this.#frames++
    this.#faces += faces.length
    this.#context?.addFrame(frame.timeS, frame.detection)
    const looks = faces.map((face) => appearanceOf(face, frame))
    const { ended, trackIds } = this.#tracker.update({
      timeS: frame.timeS,
      image: frame.detection,
      inputs: faces.map((face, index) => ({
        box: scaleFace(face, frame.usualPxPerPx ?? 1).boxXyxyPx,
        score: face.detectionScore,
        appearance: looks[index],
        payload: undefined,
      })),
    })
    const seen = faces.flatMap((face, index) => {
      const [trackId, appearance] = [trackIds[index], looks[index]]
      return trackId === undefined || appearance === undefined ? [] : [{ trackId, face, appearance }]
    })
    const { landmarker, embedder } = this.#stages
    const stretches = await pMap(
      seen,
      ({ trackId, face, appearance }) => this.#lookAt(trackId, face, appearance, frame),
      { concurrency: Math.min(landmarker?.inFlight ?? Infinity, embedder.inFlight ?? 1) },
    )
    for (const [index, stretch] of stretches.entries())
      if (stretch !== undefined) await this.#add(seen[index]?.trackId ?? 0, stretch)
    await this.#closeAll(ended)
  }

  async #lookAt(
    trackId: number,
    face: FoundFace,
    appearance: Float32Array,
    frame: SegmentFrame,
  ): Promise<Stretch | undefined> {
    const { timeS, full, usualPxPerPx = 1 } = frame
    const followed = this.#followed.get(trackId) ?? new FollowedFace(this.#follow)
    this.#followed.set(trackId, followed)
    const sample = await alignAndMeasure(face, full, this.#stages)
    return followed.add({ timeS, sample: scaleFace(sample, usualPxPerPx) }, appearance, () =>
      cropThumbnail(full, sample.boxXyxyPx),
    )
  }

  /** The segment's tracks. Nothing can be added afterwards. */
  async finish(segment: SegmentSpan, truncated: boolean): Promise<SegmentOutput> {
    await this.#closeAll(this.#tracker.finish())
    const { provider } = this.#stages
    const groups = mergeTracklets(
      this.#tracklets.map(({ trackId, timesS, faces }) => ({
        trackId,
        seenS: timesS.map((timeS) => [timeS, timeS] as const),
        vector: pooledVector(faces.map(({ face }) => face)),
        weight: faces.length,
      })),
      { minSimilarity: mergeSimilarity, minSimilarityInTrack: mergeSimilarityInTrack },
    )
    const tracks: TrackOutput[] = []
    for (const group of groups) {
      const parts = group.flatMap((index) => this.#tracklets[index] ?? [])
      tracks.push(await joinTracklets(parts, tracks.length, this.#stages))
    }
    const output = { segment, tracks, frames: this.#frames, faces: this.#faces, truncated, provider }
    return this.#context === undefined ? output : { ...output, contexts: await this.#context.encode() }
  }

  /** Store the state before the next frame, which changes it. */
  snapshot(): SegmentState {
    const context = this.#context?.snapshot()
    return {
      frames: this.#frames,
      faces: this.#faces,
      plausibility: this.#plausibility,
      tracker: this.#tracker.snapshot(),
      followed: [...this.#followed].map(([trackId, followed]) => ({ trackId, ...followed.snapshot() })),
      tracklets: this.#tracklets,
      ...(context === undefined ? {} : { context }),
    }
  }

  async #closeAll(tracks: readonly { readonly id: number }[]): Promise<void> {
    for (const { id } of tracks) {
      const stretches = (await this.#followed.get(id)?.finish()) ?? []
      this.#followed.delete(id)
      for (const stretch of stretches) await this.#add(id, stretch)
    }
  }

  async #add(trackId: number, stretch: Stretch): Promise<void> {
    const tracklet = await trackletOf(trackId, stretch)
    if (tracklet !== undefined) this.#tracklets.push(tracklet)
  }
}
