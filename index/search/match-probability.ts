import type { Calibration } from '../../pipeline/models/packs/pack.js'

/** What speaks for a match besides the score. */
export interface MatchEvidence {
  /** Cosine similarity. */
  readonly score: number
  /** The lower one of the query's and the track's, 0..1. */
  readonly quality: number
}

/**
 * What is believed before anything is compared: so many of the tracks that were searched show the person, as good a guess for
 * one track as for any other.
 */
export interface Prior {
  readonly appearances: number
  readonly tracks: number
}

/**
 * Probability that a track shows the person who was asked for: the prior odds times the likelihood ratio of its score among mated
 * and non-mated pairs of its quality (Brümmer and du Preez, 2006). Undefined where no densities were calibrated.
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

/** Linear between the table's scores; beyond its ends no more is claimed than there. */
export function logRatioAt(table: readonly (readonly [score: number, logRatio: number])[], score: number) {
  const above = table.findIndex(([x]) => x > score)
  if (above === 0) return table[0]?.[1] ?? 0
  const [before, after] = [table.at(above === -1 ? -1 : above - 1), table[above]]
  if (before === undefined || after === undefined) return before?.[1] ?? 0
  return before[1] + ((score - before[0]) / (after[0] - before[0])) * (after[1] - before[1])
}
