import { seededRandom } from '../../../pipeline/common/seeded-random.js'

/** A 95 % interval: its lower and its upper end. */
export type Interval = readonly [low: number, high: number]

/**
 * Number of bootstrap resamples. With this many, the ends of a 95 % interval vary by less than a twentieth of its
 * width.
 */
const resamples = 10_000
const seed = 1

/**
 * The 95 % confidence interval of a mean: percentile bootstrap over its values (Efron and Tibshirani, 1993, ch. 13). The same
 * values give the same interval.
 */
export function bootstrapMean(values: readonly number[]): Interval {
  if (values.length === 0) return [0, 0]
  const random = seededRandom(seed)
  const count = values.length
  const means = new Float64Array(resamples)
  for (let k = 0; k < resamples; k++) {
    let sum = 0
    for (let i = 0; i < count; i++) sum += values[Math.floor(random() * count)] ?? 0
    means[k] = sum / count
  }
  means.sort()
  const at = (share: number) => means[Math.min(resamples - 1, Math.floor(share * resamples))] ?? 0
  return [at(0.025), at(0.975)]
}

/** A difference of two means over the same identities. */
export interface Difference {
  readonly value: number
  readonly ci95: Interval
}

/**
 * b − a for two measurements of the same identities in the same order. They are resampled together, so common
 * variation cancels.
 */
export function pairedDifference(a: readonly number[], b: readonly number[]): Difference {
  if (a.length !== b.length) throw new Error(`${a.length} values cannot be paired with ${b.length}`)
  const differences = b.map((value, i) => value - (a[i] ?? 0))
  const value = differences.length === 0 ? 0 : differences.reduce((sum, d) => sum + d, 0) / differences.length
  return { value, ci95: bootstrapMean(differences) }
}
