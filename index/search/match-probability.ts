import type { Calibration } from '../../pipeline/models/packs/pack.js'

/** The evidence for a match. */
export interface MatchEvidence {
  /** Cosine similarity. */
  readonly score: number
  /** The lower of the qualities of the query and the track, 0..1. */
  readonly quality: number
}

/**
 * The assumption before any comparison: how many of the searched tracks show the person. Each track is equally likely
 * to.
 */
export interface Prior {
  readonly appearances: number
  readonly tracks: number
}

/**
 * Probability that a track shows the person of the query: the prior odds times the likelihood ratio of its score
 * among mated and non-mated pairs of its quality (Brümmer and du Preez, 2006). Undefined if no densities were
 * calibrated.
 */
export function matchProbability(
  calibration: Calibration | undefined,
  { score, quality }: MatchEvidence,
  { appearances, tracks }: Prior,
): number | undefined {
  const buckets = calibration?.likelihood
  const bucket = buckets?.find(({ belowQuality }) => quality < belowQuality) ?? buckets?.at(-1)
  if (bucket === undefined) return undefined
  const logOdds = Math.log(appearances / Math.max(1, tracks)) + logRatioAt(bucket.logRatios, score)
  return 1 / (1 + Math.exp(-logOdds))
}

/** Linear between the scores of the table, constant beyond its ends. */
export function logRatioAt(table: readonly (readonly [score: number, logRatio: number])[], score: number) {
  const above = table.findIndex(([x]) => x > score)
  if (above === 0) return table[0]?.[1] ?? 0
  const [before, after] = [table.at(above === -1 ? -1 : above - 1), table[above]]
  if (before === undefined || after === undefined) return before?.[1] ?? 0
  return before[1] + ((score - before[0]) / (after[0] - before[0])) * (after[1] - before[1])
}
