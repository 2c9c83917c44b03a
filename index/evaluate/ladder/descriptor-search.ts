import type { SessionOptions } from '../../../pipeline/models/session.js'
import { HnswIndex } from '../../vectors/hnsw/hnsw-index.js'
import { centreOf } from '../datasets/person-tracks.js'
import { rankThrough } from './rank.js'
import { rankByProducts } from './score-blocks.js'
import type { Pool, RankedClips } from '../data/rankings.js'

type Session = Pick<SessionOptions, 'device' | 'intraOpThreads'>

/** Descriptors of tracks or clips, L2-normalised; rows of zeros have none. */
export interface DescriptorRows {
  readonly dimension: number
  /** [rows, dimension] */
  readonly vectors: Float32Array
  /** Clip of each row. */
  readonly trackClips: Int32Array
  readonly clipNames: readonly string[]
}

/** Identity queries: the centre of an identity's gallery rows. [identities, dimension] */
export function galleryQueries(rows: DescriptorRows, gallery: readonly (readonly number[])[]): Float32Array {
  const queries = new Float32Array(gallery.length * rows.dimension)
  for (const [at, own] of gallery.entries())
    queries.set(centreOf(rows.vectors, rows.dimension, own), at * rows.dimension)
  return queries
}

/** Clips of each identity by cosine similarity, compared with every row that has a descriptor. */
export async function searchExactly(
  { dimension, vectors, trackClips, clipNames }: DescriptorRows,
  queries: Float32Array,
  pool: Pool,
  session: Session,
): Promise<RankedClips[]> {
  const clipOf = (row: number) => {
    const clip = trackClips[row] ?? -1
    return pool.has(clip) && !isEmptyRow(vectors, dimension, row) ? clip : -1
  }
  const top = await rankByProducts(
    { dimension, vectors: queries },
    { dimension, vectors },
    { clipOf, clipNames, session },
  )
  return Array.from({ length: queries.length / dimension }, (_, at) =>
    isEmptyRow(queries, dimension, at) ? [] : top.ranked(at),
  )
}

/** The same through the vector index that an archive is searched with. */
export function searchThroughIndex(rows: DescriptorRows, queries: Float32Array, pool: Pool): RankedClips[] {
  const { dimension, vectors, trackClips } = rows
  const index = HnswIndex.create(dimension)
  try {
    for (const row of trackClips.keys()) {
      const vector = vectors.subarray(row * dimension, (row + 1) * dimension)
      if (vector.some((value) => value !== 0)) addGrowing(index, row + 1, vector)
    }
    return queries.length === 0 ? [] : rankQueries(index, rows, queries, pool)
  } finally {
    index.close()
  }
}

function addGrowing(index: HnswIndex, label: number, vector: Float32Array): void {
  if (index.isFull) index.reserve(index.nextCapacity)
  index.add(label, vector)
}

function rankQueries(
  index: HnswIndex,
  rows: DescriptorRows,
  queries: Float32Array,
  pool: Pool,
): RankedClips[] {
  const { dimension } = rows
  return Array.from({ length: queries.length / dimension }, (_, at) => {
    if (isEmptyRow(queries, dimension, at)) return []
    const query = queries.subarray(at * dimension, (at + 1) * dimension)
    return rankThrough(index, { dimension, vectors: query }, rows, pool)[0] ?? []
  })
}

/** Of an identity without any track. */
function isEmptyRow(rows: Float32Array, dimension: number, at: number): boolean {
  return rows.subarray(at * dimension, (at + 1) * dimension).every((value) => value === 0)
}
