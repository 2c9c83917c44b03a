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

/** Enough for figures of sums; each takes longer than a mean. */
const resamplesOfSums = 2_000

/**
 * 95 % confidence intervals of figures that are computed from sums over people, as a ratio is: people are drawn with replacement.
 * @param people the terms of each person's sums
 * @param figures each computes a figure from the sums
 */
export function bootstrapSums(
  people: readonly (readonly number[])[],
  figures: readonly ((sums: readonly number[]) => number)[],
): Interval[] {
  const random = seededRandom(seed)
  const width = people[0]?.length ?? 0
  const drawn = figures.map(() => new Float64Array(resamplesOfSums))
  for (let k = 0; k < resamplesOfSums; k++) {
    const sums = new Array<number>(width).fill(0)
    for (let i = 0; i < people.length; i++) {
      const person = people[Math.floor(random() * people.length)] ?? []
      for (let j = 0; j < width; j++) sums[j] = (sums[j] ?? 0) + (person[j] ?? 0)
    }
    for (const [at, figure] of figures.entries()) {
      const values = drawn[at]
      if (values !== undefined) values[k] = figure(sums)
    }
  }
  return drawn.map((values) => {
    values.sort()
    const at = (share: number) =>
      values[Math.min(resamplesOfSums - 1, Math.floor(share * resamplesOfSums))] ?? 0
    return [at(0.025), at(0.975)]
  })
}
