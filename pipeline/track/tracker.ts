/**
 * Faces of one segment's sampled frames, joined into tracks by motion and looks, before any embedding.
 *
 * Taken from SORT: predict, associate optimally, correct. From ByteTrack: two rounds, confident detections first,
 * weak ones only to continue what is known; new tracks only from confident ones. From roboflow/trackers: ids counted
 * in the tracker instance, tracks dropped by time without a match. Different: real seconds instead of
 * frame counts; a close decision ends the tracks instead of guessing (see `ambiguousRows`); no boxes are invented in gaps.
 */
import type { BoxXyxyPx } from '../data/geometry.js'
import type { RgbImage } from '../data/image.js'
import { normalisePatch, rememberLooks, type Looks } from './appearance.js'
import { assign } from './assignment.js'
import {
  ambiguousRows,
  apartCost,
  costTable,
  expect,
  lowScoreApartCost,
  type Candidate,
  type CostTable,
} from './association.js'
import { correctMotion, predictMotion, startMotion, type FaceMotion } from './kalman.js'
import { createCutDetector, type FrameFeatures } from './shot-cut.js'

/** One detected face. `payload` comes back untouched with the track's observation. */
export interface TrackInput<T> {
  /** In full-frame pixels; a box without a positive, finite width and height is ignored. */
  readonly box: BoxXyxyPx
  /** Detection score, 0..1. */
  readonly score: number
  /** 16×16 grey values 0..255 of the face region, rows top to bottom; normalised here. */
  readonly appearance?: Uint8Array | Float32Array | undefined
  readonly payload: T
}

export interface TrackFrame<T> {
  /** Seconds on the clip's clock, later than the frame before. */
  readonly timeS: number
  /** The frame at any size, for cut detection; without it no cut is seen here. */
  readonly image?: RgbImage | undefined
  readonly inputs: readonly TrackInput<T>[]
}

export interface TrackObservation<T> {
  readonly timeS: number
  readonly box: BoxXyxyPx
  readonly score: number
  readonly payload: T
}

/** `cut`: a shot ended; `lost`: not seen for too long; `ambiguous`: a rival came too close; `finished`: end of segment. */
export type TrackEnd = 'cut' | 'lost' | 'ambiguous' | 'finished'

export interface Track<T> {
  /** Counts from 0 in one tracker. */
  readonly id: number
  readonly startS: number
  readonly endS: number
  /** At least one, in order of time, at most one a frame. */
  readonly observations: readonly TrackObservation<T>[]
  readonly endedBy: TrackEnd
}

export interface TrackUpdate<T> {
  /** Is there a hard cut between the frame before and this one? False without images. */
  readonly isCut: boolean
  /** Tracks that ended with this frame, by id. Their observations never include this frame. */
  readonly ended: readonly Track<T>[]
  /** For each input the id of its track; `undefined` where it was not used (weak and unexpected, or no proper box). */
  readonly trackIds: readonly (number | undefined)[]
}

export interface Tracker<T> {
  /** @throws RangeError if `timeS` is not later than before, or a patch has not 256 values */
  update(frame: TrackFrame<T>): TrackUpdate<T>
  /** Ends all live tracks, by id. The tracker is then as new, except that ids go on. */
  finish(): readonly Track<T>[]
  /** All that it knows, for a tracker that goes on from here. Changes with the next frame: to be written down at once. */
  snapshot(): TrackerState<T>
}

export interface TrackerState<T> {
  readonly live: readonly LiveTrack<T>[]
  readonly nextId: number
  /** Undefined before the first frame. */
  readonly lastFrameS?: number | undefined
  /** Of the last frame's image, where there was one. */
  readonly lastImage?: FrameFeatures | undefined
}

export interface TrackerOptions {
  /** Detections from this score on may start tracks. Default 0.6 (ByteTrack's own). */
  readonly highScore?: number
  /** Detections below this score are ignored. Default 0.3: weaker boxes of face detectors are mostly not faces. */
  readonly lowScore?: number
  /**
   * A track not seen for this long ends. Default 1 s (ByteTrack: 30 frames at 30 fps). It survives one missed frame
   * in any case, however far apart frames are.
   */
  readonly maxGapS?: number
}

export interface LiveTrack<T> {
  readonly id: number
  readonly observations: TrackObservation<T>[]
  motion: FaceMotion
  looks: Looks | undefined
  lastS: number
  missedFrames: number
}

/** Comparing times that were computed as k / fps. */
const timeToleranceS = 1e-6

/** A track is given up only after this many missed frames: one miss must not end it when frames are seconds apart. */
const minMissedFrames = 2

/** @param from of a tracker with the same options, which is gone on with */
export function createTracker<T>(options: TrackerOptions = {}, from?: TrackerState<T>): Tracker<T> {
  const { highScore = 0.6, lowScore = 0.3, maxGapS = 1 } = options
  let cutDetector = createCutDetector(from?.lastImage)
  let live: LiveTrack<T>[] = [...(from?.live ?? [])]
  let nextId = from?.nextId ?? 0
  let lastFrameS = from?.lastFrameS ?? -Infinity

  function update({ timeS, image, inputs }: TrackFrame<T>): TrackUpdate<T> {
    if (!(timeS > lastFrameS)) {
      throw new RangeError(`frame at ${timeS} s follows the one at ${lastFrameS} s`)
    }
    lastFrameS = timeS
    const isCut = image !== undefined && cutDetector.isCut(image)
    const ended: Track<T>[] = []
    if (isCut) ended.push(...endAll('cut'))

    const usable = inputs.flatMap((input, index) =>
      input.score >= lowScore && isProperBox(input.box)
        ? [{ input, index, ...candidateOf(input, highScore) }]
        : [],
    )
    const expected = live.map((track) =>
      expect(predictMotion(track.motion, timeS - track.lastS), {
        gapS: timeS - track.lastS,
        missedFrames: track.missedFrames,
        looks: track.looks,
      }),
    )
    const table = costTable(expected, usable)
    const isHigh = usable.map(({ isWeak }) => !isWeak)
    const columnOfRow = matchInTwoRounds(table, isHigh, (row) => expected[row]?.missedFrames === 0)
    const ambiguous = ambiguousRows(table, columnOfRow, expected, usable)

    const trackIds = new Array<number | undefined>(inputs.length).fill(undefined)
    const taken = new Set<number>()
    const surviving: LiveTrack<T>[] = []
    for (const [row, track] of live.entries()) {
      const column = columnOfRow[row] ?? -1
      const found = usable[column]
      const predicted = expected[row]?.motion
      if (ambiguous.has(row)) {
        ended.push(endTrack(track, 'ambiguous'))
      } else if (found !== undefined && predicted !== undefined) {
        track.motion = correctMotion(predicted, found.box)
        track.looks = rememberLooks(track.looks, found.patch)
        track.observations.push(observe(found.input, timeS))
        track.lastS = timeS
        track.missedFrames = 0
        trackIds[found.index] = track.id
        taken.add(column)
        surviving.push(track)
      } else {
        track.missedFrames++
        const isLost =
          track.missedFrames >= minMissedFrames && timeS - track.lastS >= maxGapS - timeToleranceS
        if (isLost) ended.push(endTrack(track, 'lost'))
        else surviving.push(track)
      }
    }
    for (const [column, { input, index, patch }] of usable.entries()) {
      if (taken.has(column) || !isHigh[column]) continue
      const track: LiveTrack<T> = {
        id: nextId++,
        observations: [observe(input, timeS)],
        motion: startMotion(input.box),
        looks: rememberLooks(undefined, patch),
        lastS: timeS,
        missedFrames: 0,
      }
      trackIds[index] = track.id
      surviving.push(track)
    }
    live = surviving
    return { isCut, ended: ended.sort((a, b) => a.id - b.id), trackIds }
  }

  function endAll(reason: TrackEnd): Track<T>[] {
    const ended = live.map((track) => endTrack(track, reason))
    live = []
    return ended
  }

  function finish(): readonly Track<T>[] {
    cutDetector = createCutDetector()
    lastFrameS = -Infinity
    return endAll('finished')
  }

  function snapshot(): TrackerState<T> {
    const hasFrame = lastFrameS !== -Infinity
    return { live, nextId, lastFrameS: hasFrame ? lastFrameS : undefined, lastImage: cutDetector.last }
  }

  return { update, finish, snapshot }
}

/** ByteTrack's association: confident detections first; then weak ones for tracks seen in the frame before. */
function matchInTwoRounds(
  table: CostTable,
  isHigh: readonly boolean[],
  wasJustSeen: (row: number) => boolean,
): Int32Array {
  const { rows, columns, total } = table
  const only = (allows: (row: number, column: number) => boolean): Float64Array =>
    total.map((cost, at) => (allows(Math.floor(at / columns), at % columns) ? cost : Infinity))

  const high = assign(
    only((_row, column) => isHigh[column] === true),
    rows,
    columns,
    apartCost,
  )
  const low = assign(
    only((row, column) => isHigh[column] === false && high[row] === -1 && wasJustSeen(row)),
    rows,
    columns,
    lowScoreApartCost,
  )
  return high.map((column, row) => (column >= 0 ? column : (low[row] ?? -1)))
}

function candidateOf<T>({ box, score, appearance }: TrackInput<T>, highScore: number): Candidate {
  const patch = appearance === undefined ? undefined : normalisePatch(appearance)
  return { box, isWeak: score < highScore, patch }
}

function observe<T>({ box, score, payload }: TrackInput<T>, timeS: number): TrackObservation<T> {
  return { timeS, box, score, payload }
}

function endTrack<T>({ id, observations, lastS }: LiveTrack<T>, endedBy: TrackEnd): Track<T> {
  return { id, startS: observations[0]?.timeS ?? lastS, endS: lastS, observations, endedBy }
}

function isProperBox([x1, y1, x2, y2]: BoxXyxyPx): boolean {
  return x2 > x1 && y2 > y1 && Number.isFinite(x2 - x1) && Number.isFinite(y2 - y1)
}
