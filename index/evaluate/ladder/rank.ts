import type { Neighbor, VectorIndex } from '../../vectors/vector-index.js'
import type { FeatureSet } from '../data/feature-set.js'
import { mapCutoff } from '../metrics/mean-average-precision.js'
import { TopClips } from '../metrics/top-clips.js'
import type { Pool, RankedClips } from '../data/rankings.js'

type Tracks = Pick<FeatureSet, 'trackClips' | 'clipNames'>

/** Number of queries per search. Their neighbours are in memory at the same time. */
const queriesAtOnce = 64

/**
 * The 100 best clips of each query by cosine similarity, through a vector index. Its labels are track numbers, from
 * 1.
 * @param queries [d] each, L2-normalised
 */
export async function rankThrough(
  index: Pick<VectorIndex, 'search'>,
  queries: readonly Float32Array[],
  of: Tracks,
  pool: Pool,
): Promise<RankedClips[]> {
  const ranked: RankedClips[] = []
  for (let from = 0; from < queries.length; from += queriesAtOnce)
    ranked.push(...(await rankBlock(index, queries.slice(from, from + queriesAtOnce), of, pool)))
  return ranked
}

/** Searches with increasing k, until each query has enough clips. */
async function rankBlock(
  index: Pick<VectorIndex, 'search'>,
  queries: readonly Float32Array[],
  of: Tracks,
  pool: Pool,
): Promise<RankedClips[]> {
  const ranked: RankedClips[] = queries.map(() => [])
  let open = [...queries.entries()]
  for (let k = 4 * mapCutoff; open.length > 0; k *= 2) {
    const found = await index.search(
      open.map(([, vector]) => vector),
      k,
    )
    open = open.filter(([query], i) => {
      const neighbors = found[i] ?? []
      const clips = bestClips(neighbors, of, pool)
      ranked[query] = clips
      return clips.length < mapCutoff && neighbors.length === k
    })
  }
  return ranked
}

function bestClips(neighbors: readonly Neighbor[], of: Tracks, pool: Pool): RankedClips {
  const top = new TopClips(1, of.clipNames)
  for (const { label, cosineSimilarity } of neighbors) {
    const clip = of.trackClips[label - 1]
    if (clip !== undefined && pool.has(clip)) top.add(0, clip, cosineSimilarity)
  }
  return top.ranked(0)
}
