/**
 * The cost of continuing a track with a detection, and whether a decision was too close to trust.
 *
 * SORT and ByteTrack associate by IoU, which fits 25–30 frames per second. At 4 fps a face may move by more than its
 * width. So the cost here is the negative log-likelihood of the box under the Kalman prediction (DeepSORT's Mahalanobis
 * distance, with the log-determinant, so that an uncertain track cannot take a face from a certain one), plus a price
 * for looking different.
 */
import { iou, type BoxXyxyPx } from '../data/geometry.js'
import { likeness, type Looks } from './appearance.js'
import {
  boxOfMotion,
  centreNoise,
  logSizeNoise,
  measureBox,
  sizePx,
  type AxisBelief,
  type BoxMeasure,
  type FaceMotion,
} from './kalman.js'

/** A track before the frame's detections are processed. */
export interface Expectation {
  /** Predicted for the time of the frame. */
  readonly motion: FaceMotion
  readonly box: BoxXyxyPx
  /** Seconds since the last observation. */
  readonly gapS: number
  /** Sampled frames since then in which the track was not found; 0 if it was found in the previous frame. */
  readonly missedFrames: number
  readonly looks: Looks | undefined
}

export interface Candidate {
  readonly box: BoxXyxyPx
  /** The score is too low to start a track. */
  readonly isWeak: boolean
  /** From `normalisePatch`. */
  readonly patch: Float32Array | undefined
}

/**
 * Rows are tracks, columns detections; in nats (−ln of the likelihood relative to a perfect fit of a perfectly known
 * track), ≥ 0.
 */
export interface CostTable {
  /** Infinity if the pair must not be matched. */
  readonly total: Float64Array
  /**
   * The same without the thresholds on looks, to find other possible explanations: a face may look different for one
   * frame (blur), and must still be able to compete with a similar face next to it. Infinity only if motion excludes
   * the pair.
   */
  readonly contested: Float64Array
  /** The share that comes from the patches; 0 without patches. */
  readonly looks: Float64Array
  readonly rows: number
  readonly columns: number
}

/**
 * From this cost on, it is more likely that one face left and another came than that this face moved so far. The
 * prediction of a known track may be wrong by 4.5 standard deviations, that of a new track by 4 (2 face sizes at 4
 * fps).
 */
export const apartCost = 12

/** Low-score boxes continue a track only where it is expected (ByteTrack: IoU ≥ 0.5 in the second round). */
export const lowScoreApartCost = 7

/** Two explanations that are closer than this are undecided: odds of e⁴ ≈ 55 to 1. */
const ambiguityMargin = 4

/** Price, in nats, of a correlation that is lower by 1. */
const appearanceWeight = 8

/** Nothing moves further than this from its expected place, in face sizes, however uncertain the expectation is. */
const maxOffsetSizes = 2.5

/** From frame to frame √area changes by less than this factor (detectors' boxes jump by 1.3 in profile). */
const maxSizeFactor = 2

/** Without patches, the longest gap with missed frames that is bridged: two samples at 4 fps. */
const maxBlindGapS = 0.75

/** After a longer gap the place must match as well, otherwise the track ends: motion no longer says anything. */
const longGapS = 1.5
const longGapMinIou = 0.4

/**
 * Minimum correlation of 16×16 patches, if there are patches: in the next frame, over missed frames (up to
 * `maxBlindGapS`), and over longer gaps. Measured on detector boxes of 40 real clips and 500 photos: the same face 0.25
 * s later has 0.94 (median; 1 % below 0.44), 1 s later 0.87 (25 % below 0.76), 5 s later 0.83 (25 % below 0.67);
 * another face 0.26 (10 % above 0.55, 5 % above 0.61, 1 % above 0.71). The longer nothing was seen, the more likely is
 * another face, and the higher is the minimum.
 */
const minCorrelation = { nextFrame: 0.3, shortGap: 0.6, longerGap: 0.7 }

/** Predicted boxes that overlap by more than this become one box in a detector's non-maximum suppression (0.3–0.4). */
const sharedBoxIou = 0.3

export function costTable(expected: readonly Expectation[], candidates: readonly Candidate[]): CostTable {
  const rows = expected.length
  const columns = candidates.length
  const total = new Float64Array(rows * columns).fill(Infinity)
  const contested = new Float64Array(rows * columns).fill(Infinity)
  const looks = new Float64Array(rows * columns)
  const measured = candidates.map(({ box }) => measureBox(box))
  for (const [row, track] of expected.entries()) {
    const size = sizePx(track.motion)
    for (const [column, candidate] of candidates.entries()) {
      const offset = offsetCost(track.motion, size, measured[column])
      if (offset === Infinity) continue
      const correlation =
        track.looks === undefined || candidate.patch === undefined
          ? undefined
          : likeness(track.looks, candidate.patch)
      const at = row * columns + column
      const price = correlation === undefined ? 0 : appearanceWeight * (1 - correlation)
      looks[at] = price
      if (!gapAllowsPlace(track, candidate.box, correlation)) continue
      contested[at] = offset + price
      if (gapAllowsLooks(track, correlation)) total[at] = offset + price
    }
  }
  return { total, contested, looks, rows, columns }
}

function offsetCost(motion: FaceMotion, size: number, measured: BoxMeasure | undefined): number {
  if (measured === undefined) return Infinity
  const dx = measured.x - motion.x.position
  const dy = measured.y - motion.y.position
  const growth = measured.logSize - motion.logSize.position
  if (Math.abs(growth) > Math.log(maxSizeFactor)) return Infinity
  const reach = maxOffsetSizes * size * Math.max(1, Math.exp(growth))
  if (dx * dx + dy * dy > reach * reach) return Infinity
  return (
    axisCost(motion.x, measured.x, centreNoise.measured * size) +
    axisCost(motion.y, measured.y, centreNoise.measured * size) +
    axisCost(motion.logSize, measured.logSize, logSizeNoise.measured)
  )
}

/** −ln of a Gaussian's density at `measured`, relative to its peak for an exactly known position. */
function axisCost(belief: AxisBelief, measured: number, deviation: number): number {
  const variance = belief.varPosition + deviation ** 2
  return ((measured - belief.position) ** 2 / variance + Math.log(variance / deviation ** 2)) / 2
}

function gapAllowsPlace(track: Expectation, box: BoxXyxyPx, correlation: number | undefined): boolean {
  if (track.gapS > longGapS) return correlation !== undefined && iou(track.box, box) >= longGapMinIou
  return correlation !== undefined || track.missedFrames === 0 || track.gapS <= maxBlindGapS
}

function gapAllowsLooks(track: Expectation, correlation: number | undefined): boolean {
  if (correlation === undefined) return true
  if (track.gapS > longGapS) return correlation >= minCorrelation.longerGap
  if (track.missedFrames === 0) return correlation >= minCorrelation.nextFrame
  return correlation >= (track.gapS > maxBlindGapS ? minCorrelation.longerGap : minCorrelation.shortGap)
}

/**
 * Rows (tracks) with a close decision in this frame: another explanation is nearly as good. For each matched pair, the
 * alternatives are a swap with another pair, a track that found nothing, or a detection that no track took. All tracks
 * of a close decision are returned, matched or not. They should end: the embeddings can join fragments later, but they
 * cannot undo a switch of identity.
 *
 * @param columnOfRow the matching, −1 for none
 */
export function ambiguousRows(
  table: CostTable,
  columnOfRow: Int32Array,
  expected: readonly Expectation[],
  candidates: readonly Candidate[],
): Set<number> {
  const { rows, columns } = table
  const ambiguous = new Set<number>()
  const rowOfColumn = new Int32Array(columns).fill(-1)
  for (let row = 0; row < rows; row++) {
    const column = columnOfRow[row] ?? -1
    if (column >= 0) rowOfColumn[column] = row
  }
  const cost = (row: number, column: number): number => table.contested[row * columns + column] ?? Infinity
  const looks = (row: number, column: number): number => table.looks[row * columns + column] ?? 0

  for (let row = 0; row < rows; row++) {
    const column = columnOfRow[row] ?? -1
    if (column < 0) continue
    const paid = cost(row, column)

    for (let rival = 0; rival < rows; rival++) {
      if (rival === row || !(cost(rival, column) < apartCost)) continue
      const rivalColumn = columnOfRow[rival] ?? -1
      let regret: number
      if (rivalColumn < 0) {
        regret = cost(rival, column) - paid
        // One box where two faces are expected: motion cannot tell which face it is.
        if (overlap(expected[row], expected[rival]) > sharedBoxIou) {
          regret = Math.min(regret, looks(rival, column) - looks(row, column))
        }
      } else {
        const both = paid + cost(rival, rivalColumn)
        regret = cost(rival, column) + Math.min(cost(row, rivalColumn), apartCost) - both
      }
      if (regret < ambiguityMargin) ambiguous.add(row).add(rival)
    }

    for (let other = 0; other < columns; other++) {
      if ((rowOfColumn[other] ?? -1) >= 0 || !(cost(row, other) < apartCost)) continue
      // A weak second box on the same face is not a rival.
      const isEcho = candidates[other]?.isWeak === true
      if (isEcho && overlap(candidates[column], candidates[other]) > sharedBoxIou) continue
      if (cost(row, other) - paid < ambiguityMargin) ambiguous.add(row)
    }
  }
  return ambiguous
}

function overlap(
  a: { readonly box: BoxXyxyPx } | undefined,
  b: { readonly box: BoxXyxyPx } | undefined,
): number {
  return a === undefined || b === undefined ? 0 : iou(a.box, b.box)
}

export function expect(
  motion: FaceMotion,
  state: Pick<Expectation, 'gapS' | 'missedFrames' | 'looks'>,
): Expectation {
  return { ...state, motion, box: boxOfMotion(motion) }
}
