import { isHidden } from '../../pipeline/embed/hidden-face.js'
import type { Pack } from '../../pipeline/models/packs/pack.js'
import type { ThresholdWish } from './match-threshold.js'
import type { ArchiveRecipe } from '../store/meta.js'

/** Two faces that are both hidden in part look alike for what hides them: they match from a higher score on. */
export interface HiddenMatch {
  /** Cosine similarity; never below the threshold of the others. */
  readonly threshold: number
  /** Of a track's descriptor, L2-normalised. */
  isHidden(descriptor: Float32Array): boolean
}

/**
 * What holds for a query whose own face is hidden in part; undefined for others, where a threshold is given, and where it was
 * not measured.
 * @param query L2-normalised descriptor
 */
export function hiddenMatchOf(
  { headFile }: Pick<ArchiveRecipe, 'headFile'>,
  { hiddenFaces }: Pick<Pack, 'hiddenFaces'>,
  query: Float32Array,
  { minScore }: ThresholdWish,
): HiddenMatch | undefined {
  // A head makes other descriptors of the embeddings.
  if (hiddenFaces === undefined || headFile !== undefined || minScore !== undefined) return undefined
  const { threshold } = hiddenFaces
  if (threshold === undefined || !isHidden(query, hiddenFaces)) return undefined
  return {
    threshold,
    isHidden: (descriptor) => isHidden(descriptor, hiddenFaces),
  }
}
