import type { Neighbor, VectorIndex } from '../vector-index.js'
import type { FeatureSet } from './feature-set.js'
import { mapCutoff } from './map.js'
import { multiplyTables, type VectorTable } from './products.js'
import { TopClips } from './top-clips.js'

/** Clips that may be retrieved. */
export type Pool = ReadonlySet<number>

/** Each query's clips, best first; a clip's score is that of its best track. */
export type RankedClips = readonly { readonly clip: number; readonly score: number }[]

type Tracks = Pick<FeatureSet, 'trackClips' | 'clipNames'>

/**
 * The 100 best clips of each query by cosine similarity to their tracks, compared with every one.
 * @param queries [q, d], tracks [t, d], L2-normalised
 */
export function rankExactly(
  queries: VectorTable,
  tracks: VectorTable,
  of: Tracks,
  pool: Pool,
): RankedClips[] {
  const count = queries.vectors.length / queries.dimension
  const top = new TopClips(count, of.clipNames)
  multiplyTables(queries, tracks, (query, firstRow, products) => {
    for (let i = 0; i < products.length; i++) {
      const clip = of.trackClips[firstRow + i]
      if (clip !== undefined && pool.has(clip)) top.add(query, clip, products[i] ?? -1)
    }
  })
  return Array.from({ length: count }, (_, query) => top.ranked(query))
}

/** As `rankExactly`, but through a vector index whose labels are the numbers of the tracks, from 1. */
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

/**
 * The 100 best clips of each class by the class's score of their tracks.
 * @param scores [tracks, columns]; `columns` are the classes' columns, one an identity, undefined where it has none
 */
export function rankByScores(
  scores: Float32Array,
  width: number,
  columns: readonly (number | undefined)[],
  of: Tracks,
  pool: Pool,
): RankedClips[] {
  const top = new TopClips(columns.length, of.clipNames)
  for (const [track, clip] of of.trackClips.entries()) {
    if (!pool.has(clip)) continue
    for (const [identity, column] of columns.entries())
      if (column !== undefined) top.add(identity, clip, scores[track * width + column] ?? -Infinity)
  }
  return columns.map((_, identity) => top.ranked(identity))
}
