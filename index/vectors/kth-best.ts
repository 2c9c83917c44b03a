/** Steps of the scores in which the k-th best is looked for; sorting all instead takes longer than the scan. */
const scoreSteps = 4096

/** A score that the `k` best of `scores` reach, and few others. */
export function lowestOfBest(scores: Float32Array | Int32Array, k: number): number {
  let [lowest, highest] = [Infinity, -Infinity]
  for (const score of scores) {
    if (score < lowest) lowest = score
    if (score > highest) highest = score
  }
  if (k >= scores.length || lowest === highest) return lowest
  const scale = (scoreSteps - 1) / (highest - lowest)
  const counts = new Uint32Array(scoreSteps)
  for (const score of scores) {
    const step = Math.floor((score - lowest) * scale)
    counts[step] = (counts[step] ?? 0) + 1
  }
  let floor = scoreSteps
  for (let found = 0; floor > 0 && found < k;) found += counts[--floor] ?? 0
  // A little below the step, so that rounding leaves none of its scores out.
  return lowest + (floor - 0.01) / scale
}
