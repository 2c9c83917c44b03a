import type { Rankings, GroundTruth } from '../data/rankings.js'

/** iQIYI-VID counts this many clips an identity. */
export const mapCutoff = 100

/** How well one identity was found. */
export interface IdentityScore {
  readonly identity: string
  /** Clips that the ground truth names: m_i. */
  readonly positives: number
  /** Of them, among the first 100. */
  readonly found: number
  /** AP_i, 0..1 */
  readonly averagePrecision: number
}

/**
 * Average precision at 100 of one identity: (1/m) Σ over hits of precision at the hit's rank. m counts all positives, also
 * those beyond the hundredth place.
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
 * Scores of every identity of the ground truth, in its order (iQIYI-VID's MAP@100). An identity that the rankings lack
 * scores 0 and counts.
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

/** MAP: the mean over identities of their average precisions; 0 where there are none. */
export function meanAveragePrecision(scores: readonly Pick<IdentityScore, 'averagePrecision'>[]): number {
  if (scores.length === 0) return 0
  return scores.reduce((sum, score) => sum + score.averagePrecision, 0) / scores.length
}
