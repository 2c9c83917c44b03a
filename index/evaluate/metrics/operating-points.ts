/**
 * False acceptance and false rejection at a score threshold, as defined for comparisons in ISO/IEC 19795-1. A
 * comparison is accepted when its score ≥ the threshold.
 *
 * FAR(t) = non-mated scores ≥ t / all non-mated scores (falls with t)
 * FRR(t) = mated scores < t / all mated scores (rises with t)
 */
export interface ErrorRates {
  readonly threshold: number
  readonly far: number
  readonly frr: number
  /**
   * Number of non-mated scores at or above the threshold. With fewer than 30, FAR is only a rough estimate (the rule
   * of 30, Doddington).
   */
  readonly falseAccepts: number
}

export interface OperatingPoint extends ErrorRates {
  readonly targetFar: number
  /** True if there are enough non-mated scores to distinguish the target from 0: at least 1 / targetFar. */
  readonly measurable: boolean
}

export interface EqualErrorPoint extends ErrorRates {
  /** (FAR + FRR) / 2 at the threshold where they are closest to each other. */
  readonly eer: number
}

export interface OperatingPoints {
  /** In the order of the targets. Empty if mated or non-mated scores are missing. */
  readonly points: readonly OperatingPoint[]
  readonly equalError: EqualErrorPoint | undefined
  /** The rates at any threshold. A rate without scores is undefined. */
  readonly ratesAt: (threshold: number) => {
    readonly far: number | undefined
    readonly frr: number | undefined
  }
}

export const standardFars: readonly number[] = [1e-2, 1e-3, 1e-4]

/**
 * The thresholds for given false acceptance rates, and the equal error rate. Candidates are the scores themselves and
 * a value above all of them. The result is the lowest threshold with a FAR of at most the target, which rejects the
 * fewest mated pairs. With tied scores, FAR stays below the target.
 * @param mated scores of comparisons of one person, any order, none of them NaN
 * @param nonMated scores of comparisons of different persons
 */
export function operatingPoints(
  mated: Float32Array,
  nonMated: Float32Array,
  targetFars: readonly number[] = standardFars,
): OperatingPoints {
  const sortedMated = mated.slice().sort()
  const sortedNonMated = nonMated.slice().sort()
  const falseAcceptsAt = (threshold: number) => sortedNonMated.length - countBelow(sortedNonMated, threshold)
  const ratesAt = (threshold: number) => ({
    far: sortedNonMated.length === 0 ? undefined : falseAcceptsAt(threshold) / sortedNonMated.length,
    frr: sortedMated.length === 0 ? undefined : countBelow(sortedMated, threshold) / sortedMated.length,
  })
  if (sortedMated.length === 0 || sortedNonMated.length === 0)
    return { points: [], equalError: undefined, ratesAt }

  const candidates = candidateThresholds(sortedMated, sortedNonMated)
  const at = (candidate: number): ErrorRates => {
    const threshold = candidates[candidate] ?? Infinity
    const falseAccepts = falseAcceptsAt(threshold)
    return {
      threshold,
      far: falseAccepts / sortedNonMated.length,
      frr: countBelow(sortedMated, threshold) / sortedMated.length,
      falseAccepts,
    }
  }
  const points = targetFars.map((targetFar) => ({
    targetFar,
    measurable: 1 / sortedNonMated.length <= targetFar,
    ...at(firstWhere(candidates.length, (candidate) => at(candidate).far <= targetFar)),
  }))
  // FAR − FRR decreases with the threshold. The value closest to 0 is the first that is not positive, or the one
  // before it.
  const crossing = firstWhere(candidates.length, (candidate) => at(candidate).far <= at(candidate).frr)
  const after = at(crossing)
  const before = at(Math.max(0, crossing - 1))
  const distance = ({ far, frr }: ErrorRates) => Math.abs(far - frr)
  const nearest = distance(before) <= distance(after) ? before : after
  return { points, equalError: { ...nearest, eer: (nearest.far + nearest.frr) / 2 }, ratesAt }
}

/**
 * All distinct scores in ascending order, and a value one float32 step above the highest, at which nothing is
 * accepted.
 */
function candidateThresholds(sortedMated: Float32Array, sortedNonMated: Float32Array): Float32Array {
  const all = new Float32Array(sortedMated.length + sortedNonMated.length + 1)
  all.set(sortedMated)
  all.set(sortedNonMated, sortedMated.length)
  const above = nextFloat32(Math.max(sortedMated.at(-1) ?? 0, sortedNonMated.at(-1) ?? 0))
  all[all.length - 1] = above
  all.sort()
  let distinct = 0
  for (const score of all) if (distinct === 0 || score !== all[distinct - 1]) all[distinct++] = score
  return all.subarray(0, distinct)
}

/** The next larger float32. */
function nextFloat32(value: number): number {
  const float = Float32Array.of(value)
  const bits = new Int32Array(float.buffer)
  if (value === 0) bits[0] = 1
  else bits[0] = (bits[0] ?? 0) + (value > 0 ? 1 : -1)
  return float[0] ?? value
}

/** Number of values in an ascending array that are smaller than the threshold. */
function countBelow(sorted: Float32Array, threshold: number): number {
  return firstWhere(sorted.length, (i) => (sorted[i] ?? Infinity) >= threshold)
}

/**
 * The first index of 0 .. length − 1 for which `holds` is true. It must be true for all later ones too. `length` if
 * there is none.
 */
function firstWhere(length: number, holds: (i: number) => boolean): number {
  let low = 0
  let high = length
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(middle)) high = middle
    else low = middle + 1
  }
  return low
}
