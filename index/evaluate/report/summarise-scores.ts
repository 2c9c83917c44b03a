import { CameoError } from '../../../pipeline/common/errors.js'
import { operatingPoints } from '../metrics/operating-points.js'
import type { ReportScores } from './report-data.js'

const bins = 60
/** Number of evenly spaced thresholds of a curve. The thresholds of the operating points are added. */
const curveSteps = 200

/**
 * Summarises scores for a report: histograms with common bins, FAR and FRR against the threshold, operating points.
 * @param mated scores of clips for an identity that appears in them
 * @param nonMated scores of clips for identities that do not appear in them
 * @param unit unit of the scores, as an axis label
 * @throws CameoError EVALUATION_INVALID if a score is not a finite number
 */
export function summariseScores(mated: Float32Array, nonMated: Float32Array, unit = 'score'): ReportScores {
  checkFinite(mated, 'mated')
  checkFinite(nonMated, 'non-mated')
  const { points, equalError, ratesAt } = operatingPoints(mated, nonMated)
  const counts = { unit, mated: mated.length, nonMated: nonMated.length }
  if (mated.length + nonMated.length === 0) return { ...counts, curve: [], points: [] }

  const [lowest, highest] = rangeOf([mated, nonMated])
  // If all scores are equal, the bins surround them.
  const from = lowest < highest ? lowest : lowest - 0.5
  const to = lowest < highest ? highest : highest + 0.5
  const thresholds = new Set([
    ...Array.from({ length: curveSteps + 1 }, (_, i) => from + ((to - from) * i) / curveSteps),
    ...points.map(({ threshold }) => threshold),
    ...(equalError === undefined ? [] : [equalError.threshold]),
  ])
  const curve = [...thresholds]
    .sort((a, b) => a - b)
    .map((threshold) => {
      const { far, frr } = ratesAt(threshold)
      return { threshold, far: far ?? null, frr: frr ?? null }
    })
  const histogram = {
    from,
    to,
    mated: binCounts(mated, from, to),
    nonMated: binCounts(nonMated, from, to),
  }
  return {
    ...counts,
    histogram,
    curve,
    points: [...points],
    ...(equalError === undefined ? {} : { equalError }),
  }
}

/** Counts in bins of equal width. The last bin includes its upper edge. */
export function binCounts(values: Iterable<number>, from: number, to: number, binCount = bins): number[] {
  const counts = new Array<number>(binCount).fill(0)
  for (const value of values) {
    const bin = Math.min(binCount - 1, Math.floor(((value - from) / (to - from)) * binCount))
    counts[bin] = (counts[bin] ?? 0) + 1
  }
  return counts
}

function rangeOf(arrays: readonly Float32Array[]): [lowest: number, highest: number] {
  let lowest = Infinity
  let highest = -Infinity
  for (const array of arrays)
    for (const value of array) {
      if (value < lowest) lowest = value
      if (value > highest) highest = value
    }
  return [lowest, highest]
}

function checkFinite(scores: Float32Array, what: string): void {
  const at = scores.findIndex((score) => !Number.isFinite(score))
  if (at >= 0)
    throw new CameoError(
      'EVALUATION_INVALID',
      `score ${at} of the ${what} scores is ${scores[at]}, not a finite number`,
    )
}
