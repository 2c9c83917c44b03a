import { counted } from '../../../pipeline/common/counted.js'

/** A pair of faces. */
export interface VerifiedPair {
  /** Squared Euclidean distance of the L2-normalised embeddings, 0..4. Undefined if a face has no embedding. */
  readonly distance: number | undefined
  readonly isSame: boolean
}

export interface VerificationResult {
  readonly pairs: number
  /** Accuracy over the folds. A pair without a distance is wrong at any threshold. */
  readonly accuracy: Spread
  /** For each fold, the squared distance below which a pair counts as the same person, chosen on the other folds. */
  readonly thresholds: readonly number[]
  /** Result at the FAR target. Undefined if a fold has no mated or no non-mated pairs. */
  readonly tar: TarAtFar | undefined
}

export interface Spread {
  readonly mean: number
  /** Standard deviation over the folds (population). */
  readonly std: number
}

export interface TarAtFar {
  readonly targetFar: number
  readonly tar: Spread
  /** The rates of the threshold on the left-out folds. */
  readonly far: number
}

/** Steps of the accuracy threshold: 0, 0.01, … below 4. */
const accuracySteps = 400
/** Steps of the TAR threshold: 0, 0.001, … below 4. */
const tarSteps = 4000
const maxDistance = 4

/**
 * 1:1 verification with cross-validation (LFW's protocol as in InsightFace's verification.py). The thresholds for the
 * best accuracy and for the FAR are chosen on all folds except one, and evaluated on that one.
 * @param folds at least two, none empty
 */
export function verifyPairs(
  folds: readonly (readonly VerifiedPair[])[],
  { targetFar = 1e-3 }: { readonly targetFar?: number } = {},
): VerificationResult {
  if (folds.length < 2 || folds.some((fold) => fold.length === 0))
    throw new RangeError(`${counted(folds.length, 'fold')}, but at least two with pairs in each are needed`)
  const coarse = folds.map((fold) => countAccepted(fold, accuracySteps))
  const accuracies: number[] = []
  const thresholds: number[] = []
  for (const [left, counts] of coarse.entries()) {
    const training = sumOf(coarse.filter((_, fold) => fold !== left))
    let best = 0
    for (let step = 1; step < accuracySteps; step++)
      if (rightAt(training, step) > rightAt(training, best)) best = step
    thresholds.push((best * maxDistance) / accuracySteps)
    accuracies.push(rightAt(counts, best) / counts.pairs)
  }
  return {
    pairs: folds.reduce((sum, fold) => sum + fold.length, 0),
    accuracy: spreadOf(accuracies),
    thresholds,
    tar: tarAtFar(folds, targetFar),
  }
}

/** If `items` does not divide evenly, the first folds have one item more (scikit-learn's KFold without shuffling). */
export function contiguousFolds<T>(items: readonly T[], count: number): T[][] {
  const size = Math.floor(items.length / count)
  const longer = items.length % count
  const startOf = (fold: number) => fold * size + Math.min(fold, longer)
  return Array.from({ length: count }, (_, fold) => items.slice(startOf(fold), startOf(fold + 1)))
}

/** Number of pairs below the threshold of each step. */
interface AcceptedCounts {
  readonly pairs: number
  readonly mated: number
  readonly nonMated: number
  /** Number of non-mated pairs with a distance. */
  readonly nonMatedScored: number
  readonly matedBelow: Float64Array
  readonly nonMatedBelow: Float64Array
}

function countAccepted(fold: readonly VerifiedPair[], steps: number): AcceptedCounts {
  const matedBelow = new Float64Array(steps)
  const nonMatedBelow = new Float64Array(steps)
  let mated = 0
  let nonMatedScored = 0
  for (const { distance, isSame } of fold) {
    if (isSame) mated++
    if (distance === undefined) continue
    if (!isSame) nonMatedScored++
    // The first threshold above the distance. Checking the neighbours corrects rounding errors.
    let step = Math.max(0, Math.floor((distance / maxDistance) * steps) - 1)
    while (step < steps && !(distance < (step * maxDistance) / steps)) step++
    const below = isSame ? matedBelow : nonMatedBelow
    if (step < steps) below[step] = (below[step] ?? 0) + 1
  }
  for (const below of [matedBelow, nonMatedBelow])
    for (let step = 1; step < steps; step++) below[step] = (below[step] ?? 0) + (below[step - 1] ?? 0)
  const nonMated = fold.length - mated
  return { pairs: fold.length, mated, nonMated, nonMatedScored, matedBelow, nonMatedBelow }
}

function sumOf(counts: readonly AcceptedCounts[]): AcceptedCounts {
  const total = (value: (counts: AcceptedCounts) => number) =>
    counts.reduce((sum, each) => sum + value(each), 0)
  const steps = counts[0]?.matedBelow.length ?? 0
  return {
    pairs: total((each) => each.pairs),
    mated: total((each) => each.mated),
    nonMated: total((each) => each.nonMated),
    nonMatedScored: total((each) => each.nonMatedScored),
    matedBelow: Float64Array.from({ length: steps }, (_, step) =>
      total((each) => each.matedBelow[step] ?? 0),
    ),
    nonMatedBelow: Float64Array.from({ length: steps }, (_, step) =>
      total((each) => each.nonMatedBelow[step] ?? 0),
    ),
  }
}

/** Number of correctly decided pairs at a step. */
function rightAt({ matedBelow, nonMatedBelow, nonMatedScored }: AcceptedCounts, step: number): number {
  return (matedBelow[step] ?? 0) + nonMatedScored - (nonMatedBelow[step] ?? 0)
}

function tarAtFar(folds: readonly (readonly VerifiedPair[])[], targetFar: number): TarAtFar | undefined {
  const fine = folds.map((fold) => countAccepted(fold, tarSteps))
  if (fine.some(({ mated, nonMated }) => mated === 0 || nonMated === 0)) return undefined
  const tars: number[] = []
  const fars: number[] = []
  for (const [left, counts] of fine.entries()) {
    const threshold = thresholdOfFar(sumOf(fine.filter((_, fold) => fold !== left)), targetFar)
    const below = (folds[left] ?? []).filter(({ distance = Infinity }) => distance < threshold)
    tars.push(below.filter(({ isSame }) => isSame).length / counts.mated)
    fars.push(below.filter(({ isSame }) => !isSame).length / counts.nonMated)
  }
  return { targetFar, tar: spreadOf(tars), far: spreadOf(fars).mean }
}

/**
 * The threshold between the two steps at which FAR first reaches the target. If FAR never reaches it, 0, so that
 * nothing is accepted.
 */
function thresholdOfFar({ nonMatedBelow, nonMated }: AcceptedCounts, targetFar: number): number {
  const step = nonMatedBelow.findIndex((count) => count / nonMated >= targetFar)
  if (step <= 0) return 0
  const far = (nonMatedBelow[step] ?? 0) / nonMated
  const before = (nonMatedBelow[step - 1] ?? 0) / nonMated
  return ((step - 1 + (targetFar - before) / (far - before)) * maxDistance) / tarSteps
}

export function spreadOf(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
  return { mean, std: Math.sqrt(variance) }
}
