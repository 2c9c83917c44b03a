import { l2Normalise } from '../../pipeline/data/vector-math.js'
import type { Verdicts } from '../identities/verdicts.js'

/** Weight of the mean of the confirmed tracks. Chosen by `npm run bench:corrections`; see docs/benchmarks.md. */
export const confirmedWeight = 0.75
/** Weight of the mean of the rejected tracks, chosen likewise. */
export const rejectedWeight = 0.15

/** How strongly corrections move a query. */
export interface CorrectionWeights {
  readonly confirmed: number
  readonly rejected: number
}

/**
 * Moves the descriptor of a name towards the tracks that people confirmed, and away from those that they rejected
 * (Rocchio 1971; Manning, Raghavan and Schütze, Introduction to Information Retrieval, chapter 9).
 * @param descriptor of the enrolled faces, L2-normalised
 * @returns L2-normalised
 */
export function correctedQuery(
  descriptor: Float32Array,
  { like, unlike }: Pick<Verdicts, 'like' | 'unlike'>,
  weights: CorrectionWeights = { confirmed: confirmedWeight, rejected: rejectedWeight },
): Float32Array {
  if (like.length === 0 && unlike.length === 0) return descriptor
  const moved = descriptor.slice()
  const add = (vectors: readonly Float32Array[], weight: number) => {
    for (const vector of vectors)
      for (let i = 0; i < moved.length; i++)
        moved[i] = (moved[i] ?? 0) + (weight / vectors.length) * (vector[i] ?? 0)
  }
  add(like, weights.confirmed)
  add(unlike, -weights.rejected)
  return l2Normalise(moved)
}
