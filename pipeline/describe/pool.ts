import { decodeFloat16 } from '../data/float16.js'
import { l2Normalise } from '../data/vector-math.js'

export interface WeightedEmbedding {
  /** Half-precision bits, as stored, so that pooling can be repeated from the store. */
  readonly float16: Uint16Array
  /** Quality, 0..1. */
  readonly quality: number
}

/**
 * Quality-weighted pooling: the L2-normalised sum of L2-normalised embeddings, each weighted by its quality. (The clip
 * centre of the ArcFace paper is the same with equal weights; weighting by quality improved iQIYI-VID's entries.) Faces
 * of quality 0 have a small weight, so that a track of hopeless faces still has a descriptor.
 * @returns `dimension` values, length 1; zeros if there is nothing to pool
 */
export function poolEmbeddings(embeddings: readonly WeightedEmbedding[], dimension: number): Float32Array {
  const sum = new Float32Array(dimension)
  for (const { float16, quality } of embeddings) {
    const unit = l2Normalise(decodeFloat16(float16))
    const weight = Math.max(quality, minWeight)
    for (let i = 0; i < dimension; i++) sum[i] = (sum[i] ?? 0) + weight * (unit[i] ?? 0)
  }
  return l2Normalise(sum)
}

const minWeight = 0.01
