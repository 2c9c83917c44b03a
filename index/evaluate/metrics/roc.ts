/** A point of the ROC curve near a target. A pair is accepted from `threshold` on. */
export interface RocPoint {
  readonly targetFpr: number
  /** FPR of the point. May be far from the target if there are few non-mated pairs. */
  readonly fpr: number
  readonly tpr: number
  readonly threshold: number
}

export interface RocScores {
  /** A higher score means more similar. Any order. */
  readonly mated: Float32Array
  /** The largest non-mated scores, at least `scoresNeeded` of them, or all. Any order. */
  readonly nonMated: Float32Array
  /** Number of non-mated pairs. */
  readonly nonMatedCount: number
}

/**
 * For each target, the TPR at the point of the ROC curve with the nearest FPR. If there are several, the point with
 * the largest TPR, as in InsightFace's IJB evaluation. Each distinct score is a point, and so is the start, where
 * nothing is accepted. Unlike scikit-learn's default, no point is dropped. Rates are NaN if there is no mated or no
 * non-mated pair.
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
    // Below the kept scores, the FPR is not known.
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
 * Number of largest non-mated scores that are needed for the rates at FPRs up to `largestFpr`. The start of the curve
 * is `largestFpr` away from the target, so no point beyond twice that FPR can be nearest.
 */
export function scoresNeeded(largestFpr: number, nonMatedCount: number): number {
  return Math.min(nonMatedCount, Math.floor(2 * largestFpr * nonMatedCount) + 2)
}

/** Collects the `limit` largest of any number of scores. Needs memory for twice as many. */
export class LargestScores {
  readonly #limit: number
  #kept: Float32Array
  #count = 0
  /** Lower scores cannot be among the largest. */
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
