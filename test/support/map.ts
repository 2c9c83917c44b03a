/**
 * Average precision of one ranking: mean over all `positives` of the precision at each hit's rank. A positive
 * that is not ranked adds nothing.
 */
export function averagePrecision(ranking: readonly string[], positives: ReadonlySet<string>): number {
  let hits = 0
  let sum = 0
  ranking.forEach((item, index) => {
    if (!positives.has(item)) return
    hits++
    sum += hits / (index + 1)
  })
  return positives.size === 0 ? 0 : sum / positives.size
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
