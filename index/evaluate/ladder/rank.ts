import type { Neighbor, VectorIndex } from '../../vectors/vector-index.js'
import type { FeatureSet } from '../data/feature-set.js'
import { mapCutoff } from '../metrics/mean-average-precision.js'
import type { VectorTable } from '../metrics/matrix-product.js'
import { TopClips } from '../metrics/top-clips.js'
import type { Pool, RankedClips } from '../data/rankings.js'

type Tracks = Pick<FeatureSet, 'trackClips' | 'clipNames'>

/**
 * The 100 best clips of each query by cosine similarity, through a vector index whose labels are the numbers of the tracks,
 * from 1.
 * @param queries [q, d], L2-normalised
 */
export function rankThrough(
  index: Pick<VectorIndex, 'search' | 'size'>,
  queries: VectorTable,
  of: Tracks,
  pool: Pool,
): RankedClips[] {
  const count = queries.vectors.length / queries.dimension
  return Array.from({ length: count }, (_, query) => {
    const vector = queries.vectors.subarray(query * queries.dimension, (query + 1) * queries.dimension)
    for (let k = 4 * mapCutoff; ; k *= 2) {
      const neighbors = index.search(vector, k)
      const ranked = bestClips(neighbors, of, pool)
      if (ranked.length >= mapCutoff || neighbors.length < k || k >= index.size) return ranked
    }
  })
}

function bestClips(neighbors: readonly Neighbor[], of: Tracks, pool: Pool): RankedClips {
  const top = new TopClips(1, of.clipNames)
  for (const { label, cosineSimilarity } of neighbors) {
    const clip = of.trackClips[label - 1]
    if (clip !== undefined && pool.has(clip)) top.add(0, clip, cosineSimilarity)
  }
  return top.ranked(0)
}
