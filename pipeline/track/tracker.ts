/**
 * Joins the faces of one segment's sampled frames into tracks by motion and looks, before any embedding.
 *
 * Taken from SORT: predict, associate optimally, correct. From ByteTrack: two rounds: confident detections first, then
 * weak ones only to continue known tracks; new tracks only from confident detections. From roboflow/trackers: ids
 * counted in the tracker instance, tracks dropped by time without a match. Different from all: real seconds instead of
 * frame counts; a close decision ends the tracks instead of guessing (see `ambiguousRows`); no boxes are invented in
 * gaps.
 */
import type { BoxXyxyPx } from '../data/geometry.js'
import type { RgbImage } from '../data/image.js'
import { normalisePatch } from './appearance.js'
import { assign } from './assignment.js'
import {
  ambiguousRows,
  apartCost,
  costTable,
  lowScoreApartCost,
  type Candidate,
  type CostTable,
  type Expectation,
} from './association.js'
import {
  beginTrack,
  continueTrack,
  endTrack,
  expectAt,
  type FoundInput,
  type LiveTrack,
  type Track,
  type TrackEnd,
  type TrackInput,
} from './live-track.js'
import { createCutDetector, type CutDetector, type FrameFeatures } from './shot-cut.js'

export interface TrackFrame<T> {
  /** Seconds on the clip's clock, later than the previous frame. */
  readonly timeS: number
  /** The frame at any size, for cut detection; without it, no cut is detected. */
  readonly image?: RgbImage | undefined
  readonly inputs: readonly TrackInput<T>[]
}

export interface TrackUpdate<T> {
  /** Whether there is a hard cut between the previous frame and this one. False without images. */
  readonly isCut: boolean
  /** Tracks that ended with this frame, by id. Their observations never include this frame. */
  readonly ended: readonly Track<T>[]
  /** For each input the id of its track; `undefined` if it was not used (weak and unexpected, or no valid box). */
  readonly trackIds: readonly (number | undefined)[]
}

export interface TrackerState<T> {
  readonly live: readonly LiveTrack<T>[]
  readonly nextId: number
  /** Undefined before the first frame. */
  readonly lastFrameS?: number | undefined
  /** Features of the last frame's image, if there was one. */
  readonly lastImage?: FrameFeatures | undefined
}

export interface TrackerOptions {
  /** Detections with at least this score may start tracks. Default 0.6 (ByteTrack's own). */
  readonly highScore?: number
  /** Detections below this score are ignored. Default 0.3: weaker boxes of face detectors are mostly not faces. */
  readonly lowScore?: number
  /**
   * A track that is not seen for this long ends. Default 1 s (ByteTrack: 30 frames at 30 fps). It survives one missed
   * frame in any case, however far apart the frames are.
   */
  readonly maxGapS?: number
}

/** For comparing times that were computed as k / fps. */
const timeToleranceS = 1e-6

/** A track ends only after this many missed frames: a single miss must not end it when frames are seconds apart. */
const minMissedFrames = 2

/** One frame in progress: the inputs that may be matched, and the expected state of each track. */
interface FrameWork<T> {
  readonly timeS: number
  readonly usable: readonly UsableInput<T>[]
  /** One row per live track. */
  readonly expected: readonly Expectation[]
}

interface UsableInput<T> extends Candidate, FoundInput<T> {
  /** Index among the frame's inputs. */
  readonly index: number
}

/** The result of one frame for the live tracks and the inputs. */
interface FrameResult<T> {
  readonly ended: Track<T>[]
  readonly surviving: LiveTrack<T>[]
  readonly trackIds: (number | undefined)[]
}

/** Follows the faces of one segment from frame to frame. */
export class Tracker<T> {
  readonly #highScore: number
  readonly #lowScore: number
  readonly #maxGapS: number
  #cutDetector: CutDetector
  #live: LiveTrack<T>[]
  #nextId: number
  #lastFrameS: number

  /** @param from the state of a tracker with the same options, to continue it */
  constructor({ highScore = 0.6, lowScore = 0.3, maxGapS = 1 }: TrackerOptions = {}, from?: TrackerState<T>) {
    this.#highScore = highScore
    this.#lowScore = lowScore
    this.#maxGapS = maxGapS
    this.#cutDetector = createCutDetector(from?.lastImage)
    this.#live = [...(from?.live ?? [])]
    this.#nextId = from?.nextId ?? 0
    this.#lastFrameS = from?.lastFrameS ?? -Infinity
  }

  /** @throws RangeError if `timeS` is not later than before, or if a patch does not have 256 values */
  update({ timeS, image, inputs }: TrackFrame<T>): TrackUpdate<T> {
    if (!(timeS > this.#lastFrameS))
      throw new RangeError(`the frame at ${timeS} s does not come after the one at ${this.#lastFrameS} s`)
    this.#lastFrameS = timeS
    const isCut = image !== undefined && this.#cutDetector.isCut(image)
    const result: FrameResult<T> = {
      ended: isCut ? this.#endAll('cut') : [],
      surviving: [],
      trackIds: new Array<number | undefined>(inputs.length).fill(undefined),
    }
    const usable = this.#usableOf(inputs)
    const expected = this.#live.map((track) => expectAt(track, timeS))
    const taken = this.#goOn({ timeS, usable, expected }, result)
    for (const [column, found] of usable.entries())
      if (!taken.has(column) && !found.isWeak) this.#begin(found, timeS, result)
    this.#live = result.surviving
    return { isCut, ended: result.ended.sort((a, b) => a.id - b.id), trackIds: result.trackIds }
  }

  /** Ends all live tracks, by id. Afterwards the tracker is like a new one, except that its ids continue. */
  finish(): readonly Track<T>[] {
    this.#cutDetector = createCutDetector()
    this.#lastFrameS = -Infinity
    return this.#endAll('finished')
  }

  /** The complete state, for a tracker that continues from here. The next frame changes it: store it at once. */
  snapshot(): TrackerState<T> {
    return {
      live: this.#live,
      nextId: this.#nextId,
      lastFrameS: this.#lastFrameS === -Infinity ? undefined : this.#lastFrameS,
      lastImage: this.#cutDetector.last,
    }
  }

  #usableOf(inputs: readonly TrackInput<T>[]): UsableInput<T>[] {
    return inputs.flatMap((input, index) =>
      input.score >= this.#lowScore && isProperBox(input.box)
        ? [{ input, index, ...candidateOf(input, this.#highScore) }]
        : [],
    )
  }

  /** Continues or ends each live track. Returns the columns of the inputs that tracks took. */
  #goOn({ timeS, usable, expected }: FrameWork<T>, result: FrameResult<T>): ReadonlySet<number> {
    const table = costTable(expected, usable)
    const isHigh = usable.map(({ isWeak }) => !isWeak)
    const columnOfRow = matchInTwoRounds(table, isHigh, (row) => expected[row]?.missedFrames === 0)
    const ambiguous = ambiguousRows(table, columnOfRow, expected, usable)
    const taken = new Set<number>()
    for (const [row, track] of this.#live.entries()) {
      const column = columnOfRow[row] ?? -1
      const found = usable[column]
      const predicted = expected[row]?.motion
      if (ambiguous.has(row)) result.ended.push(endTrack(track, 'ambiguous'))
      else if (found !== undefined && predicted !== undefined) {
        continueTrack(track, predicted, found, timeS)
        result.trackIds[found.index] = track.id
        taken.add(column)
        result.surviving.push(track)
      } else if (this.#isLost(track, timeS)) result.ended.push(endTrack(track, 'lost'))
      else result.surviving.push(track)
    }
    return taken
  }

  /** Counts a frame in which the track was not seen, and returns whether the track is lost. */
  #isLost(track: LiveTrack<T>, timeS: number): boolean {
    track.missedFrames++
    return track.missedFrames >= minMissedFrames && timeS - track.lastS >= this.#maxGapS - timeToleranceS
  }

  #begin({ input, index, patch }: UsableInput<T>, timeS: number, result: FrameResult<T>): void {
    const track = beginTrack(this.#nextId++, { input, patch }, timeS)
    result.trackIds[index] = track.id
    result.surviving.push(track)
  }

  #endAll(reason: TrackEnd): Track<T>[] {
    const ended = this.#live.map((track) => endTrack(track, reason))
    this.#live = []
    return ended
  }
}

/** ByteTrack's association: confident detections first, then weak ones for tracks seen in the previous frame. */
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

function isProperBox([x1, y1, x2, y2]: BoxXyxyPx): boolean {
  return x2 > x1 && y2 > y1 && Number.isFinite(x2 - x1) && Number.isFinite(y2 - y1)
}
