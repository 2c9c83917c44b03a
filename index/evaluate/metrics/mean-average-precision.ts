import type { Rankings, GroundTruth } from '../data/rankings.js'

/** iQIYI-VID counts this many clips per identity. */
export const mapCutoff = 100

/** How well one identity was found. */
export interface IdentityScore {
  readonly identity: string
  /** Number of clips in the ground truth: m_i. */
  readonly positives: number
  /** Number of these clips among the first 100. */
  readonly found: number
  /** AP_i, 0..1 */
  readonly averagePrecision: number
}

/**
 * Average precision at 100 of one identity: (1/m) Σ over hits of the precision at the rank of the hit. m counts all
 * positives, including those beyond rank 100.
 */
export function averagePrecision(ranked: readonly string[], positives: ReadonlySet<string>): number {
  if (positives.size === 0) return 0
  let hits = 0
  let sum = 0
  for (const [at, clip] of ranked.slice(0, mapCutoff).entries()) {
    if (!positives.has(clip)) continue
    hits++
    sum += hits / (at + 1)
  }
  return sum / positives.size
}

/**
 * Scores of every identity of the ground truth, in its order (iQIYI-VID's MAP@100). An identity without a ranking
 * scores 0 and is included.
 */
export function scoreRankings(rankings: Rankings, groundTruth: GroundTruth): IdentityScore[] {
  return [...groundTruth].map(([identity, positives]) => {
    const ranked = (rankings.get(identity) ?? []).slice(0, mapCutoff)
    return {
      identity,
      positives: positives.size,
      found: ranked.filter((clip) => positives.has(clip)).length,
      averagePrecision: averagePrecision(ranked, positives),
    }
  })
}

/** MAP: the mean of the average precisions of all identities. 0 if there are none. */
export function meanAveragePrecision(scores: readonly Pick<IdentityScore, 'averagePrecision'>[]): number {
  if (scores.length === 0) return 0
  return scores.reduce((sum, score) => sum + score.averagePrecision, 0) / scores.length
}
