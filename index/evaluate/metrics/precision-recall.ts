/** The data of one identity's answer for precision and recall. */
export interface HitRanks {
  /** Ranks of the positives that were found, from 1, ascending. */
  readonly hitRanks: readonly number[]
  /** All positives of the identity, found or not; at least 1. */
  readonly positives: number
}

/** Recall levels of a curve: 0, 0.01 … 1, as COCO samples it. */
export const recallLevels: readonly number[] = Array.from({ length: 101 }, (_, i) => i / 100)

/** Ranks of the positives in a ranking without duplicates, from 1. */
export function hitRanks(ranking: readonly string[], positives: ReadonlySet<string>): number[] {
  return ranking.flatMap((clip, i) => (positives.has(clip) ? [i + 1] : []))
}

/**
 * Interpolated precision at each recall level, averaged over identities: the highest precision at any rank with a
 * recall of at least the level (Manning et al., Introduction to Information Retrieval, 8.4). A level that an identity
 * does not reach counts as precision 0, so that the curve falls if positives are missing.
 * @returns [recall levels], each 0..1; zeros if there are no identities
 */
export function precisionRecall(
  identities: readonly HitRanks[],
  levels: readonly number[] = recallLevels,
): number[] {
  const sums = levels.map(() => 0)
  for (const { hitRanks, positives } of identities) {
    const precisions = hitRanks.map((rank, i) => (i + 1) / rank)
    // From the last hit to the first: the best precision at this recall or a higher one.
    for (let i = precisions.length - 2; i >= 0; i--)
      precisions[i] = Math.max(precisions[i] ?? 0, precisions[i + 1] ?? 0)
    levels.forEach((level, i) => {
      const hitsNeeded = Math.max(1, Math.ceil(level * positives - 1e-9))
      sums[i] = (sums[i] ?? 0) + (precisions[hitsNeeded - 1] ?? 0)
    })
  }
  return sums.map((sum) => (identities.length === 0 ? 0 : sum / identities.length))
}
