import { l2Normalise } from '../../pipeline/data/vector-math.js'
import type { Verdicts } from '../identities/verdicts.js'

/** How strongly corrections move a query. */
export interface CorrectionWeights {
  /** Weight of a confirmed track; a reference, which is a photo or clip of the enrolment, has the weight 1. */
  readonly confirmed: number
  /** Weight of the mean of the rejected tracks, where all that shows the person has the weight 1 together. */
  readonly rejected: number
}

/** Chosen on other people than those that docs/performance.md reports: `npm run bench:corrections -- --tune`. */
export const correctionWeights: CorrectionWeights = { confirmed: 1, rejected: 0.25 }

/** A name as it was enrolled. */
export interface EnrolledQuery {
  /** Of the enrolled faces, L2-normalised. */
  readonly descriptor: Float32Array
  /** Number of photos and clips that they are from. */
  readonly references: number
}

/**
 * Moves the descriptor of a name towards the tracks that people confirmed, and away from those that they rejected
 * (Rocchio 1971; Manning, Raghavan and Schütze, Introduction to Information Retrieval, chapter 9).
 * @returns L2-normalised
 */
export function correctedQuery(
  { descriptor, references }: EnrolledQuery,
  { like, unlike }: Pick<Verdicts, 'like' | 'unlike'>,
  { confirmed, rejected }: CorrectionWeights = correctionWeights,
): Float32Array {
  if (like.length === 0 && unlike.length === 0) return descriptor
  const shown = descriptor.map((value) => references * value)
  for (const vector of like) add(shown, vector, confirmed)
  const moved = l2Normalise(shown)
  for (const vector of unlike) add(moved, vector, -rejected / unlike.length)
  return l2Normalise(moved)
}

function add(sum: Float32Array, vector: Float32Array, weight: number): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + weight * (vector[i] ?? 0)
}
