/** A point of the ROC curve near a target. A pair is accepted from `threshold` on. */
export interface RocPoint {
  readonly targetFpr: number
  /** Of the point, which may lie far from the target where there are few non-mated pairs. */
  readonly fpr: number
  readonly tpr: number
  readonly threshold: number
}

export interface RocScores {
  /** Higher is more alike; any order. */
  readonly mated: Float32Array
  /** The largest of the non-mated scores, at least `scoresNeeded` of them, or all; any order. */
  readonly nonMated: Float32Array
  /** How many non-mated pairs there are. */
  readonly nonMatedCount: number
}

/**
 * TPR at the point of the ROC curve whose FPR is nearest to each target; of several such points the one of the largest
 * TPR, as InsightFace's IJB evaluation does. A point is a distinct score, and the beginning, where nothing is accepted. Unlike scikit-learn's
 * default no point is left out. NaN rates where there is no mated or no non-mated pair.
 */
export function tprAtFpr(scores: RocScores, targetFprs: readonly number[]): RocPoint[] {
  const mated = scores.mated.slice().sort().reverse()
  const nonMated = scores.nonMated.slice().sort().reverse()
  const isKnown = mated.length > 0 && scores.nonMatedCount > 0
  const best = targetFprs.map((targetFpr): RocPoint => ({
    targetFpr,
    fpr: isKnown ? 0 : NaN,
    tpr: isKnown ? 0 : NaN,
    threshold: Infinity,
  }))
  if (!isKnown) return best
  let accepted = 0
  let falselyAccepted = 0
  while (accepted < mated.length || falselyAccepted < nonMated.length) {
    const threshold = Math.max(mated[accepted] ?? -Infinity, nonMated[falselyAccepted] ?? -Infinity)
    while (accepted < mated.length && mated[accepted] === threshold) accepted++
    while (falselyAccepted < nonMated.length && nonMated[falselyAccepted] === threshold) falselyAccepted++
    // Beyond the scores that were kept the FPR is not known.
    if (falselyAccepted === nonMated.length && nonMated.length < scores.nonMatedCount) break
    const fpr = falselyAccepted / scores.nonMatedCount
    const tpr = accepted / mated.length
    for (const [i, { targetFpr, fpr: bestFpr }] of best.entries())
      if (Math.abs(fpr - targetFpr) <= Math.abs(bestFpr - targetFpr))
        best[i] = { targetFpr, fpr, tpr, threshold }
  }
  return best
}

/**
 * So many of the largest non-mated scores decide the rates at FPRs up to `largestFpr`: the beginning of the curve lies
 * `largestFpr` away from it, so no point beyond twice that is nearest.
 */
export function scoresNeeded(largestFpr: number, nonMatedCount: number): number {
  return Math.min(nonMatedCount, Math.floor(2 * largestFpr * nonMatedCount) + 2)
}

/** The `limit` largest of any number of scores, in memory for twice as many. */
export class LargestScores {
  readonly #limit: number
  #kept: Float32Array
  #count = 0
  /** Scores below cannot be among the largest. */
  #floor = -Infinity

  constructor(limit: number) {
    this.#limit = limit
    this.#kept = new Float32Array(Math.min(2 * limit, 1024))
  }

  add(score: number): void {
    if (score < this.#floor || this.#limit === 0) return
    if (this.#count === this.#kept.length) this.#makeRoom()
    this.#kept[this.#count++] = score
  }

  /** In descending order. */
  values(): Float32Array {
    return this.#kept.slice(0, this.#count).sort().reverse().slice(0, this.#limit)
  }

  #makeRoom(): void {
    if (this.#count < 2 * this.#limit) {
      const larger = new Float32Array(Math.min(2 * this.#limit, 2 * this.#kept.length))
      larger.set(this.#kept)
      this.#kept = larger
      return
    }
    this.#kept.set(this.values())
    this.#count = this.#limit
    this.#floor = this.#kept[this.#limit - 1] ?? -Infinity
  }
}
