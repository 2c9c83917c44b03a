/** Number of histogram steps for finding the k-th best score. Sorting all scores would take longer than the scan. */
const scoreSteps = 4096

/** A lower limit that the `k` best of `scores` reach, and few others. */
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
  // Slightly below the step, so that rounding does not exclude any of its scores.
  return lowest + (floor - 0.01) / scale
}
