import { isHidden } from '../../pipeline/embed/hidden-face.js'
import type { Pack } from '../../pipeline/models/packs/pack.js'
import type { ThresholdRequest } from './match-threshold.js'
import type { ArchiveRecipe } from '../store/meta.js'

/** Two partly hidden faces look similar because of what hides them. They need a higher score to match. */
export interface HiddenMatch {
  /** Cosine similarity, never below the threshold for other tracks. */
  readonly threshold: number
  /** @param descriptor of a track, L2-normalised */
  isHidden(descriptor: Float32Array): boolean
}

/**
 * The rule for a query whose face is partly hidden. Undefined for other queries, if the request gives a threshold, or
 * if the pack has no measured threshold for hidden faces.
 * @param query L2-normalised descriptor
 */
export function hiddenMatchOf(
  { headFile }: Pick<ArchiveRecipe, 'headFile'>,
  { hiddenFaces }: Pick<Pack, 'hiddenFaces'>,
  query: Float32Array,
  { minScore }: ThresholdRequest,
): HiddenMatch | undefined {
  // A head computes different descriptors from the embeddings.
  if (hiddenFaces === undefined || headFile !== undefined || minScore !== undefined) return undefined
  const { threshold } = hiddenFaces
  if (threshold === undefined || !isHidden(query, hiddenFaces)) return undefined
  return {
    threshold,
    isHidden: (descriptor) => isHidden(descriptor, hiddenFaces),
  }
}
