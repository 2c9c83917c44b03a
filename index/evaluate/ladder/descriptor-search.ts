import type { SessionOptions } from '../../../pipeline/models/session.js'
import { HnswIndex } from '../../vectors/hnsw/hnsw-index.js'
import type { LabelledVector } from '../../vectors/vector-index.js'
import { centreOf } from '../datasets/person-tracks.js'
import { rankThrough } from './rank.js'
import { rankByProducts } from './score-blocks.js'
import type { Pool, RankedClips } from '../data/rankings.js'

type Session = Pick<SessionOptions, 'device' | 'intraOpThreads'>

/** Descriptors of tracks or clips, L2-normalised. A row of zeros means no descriptor. */
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

/** Like the exact search, but through the vector index of an archive. */
export async function searchThroughIndex(
  rows: DescriptorRows,
  queries: Float32Array,
  pool: Pool,
): Promise<RankedClips[]> {
  const index = HnswIndex.create(rows.dimension)
  try {
    await index.add(describedRows(rows))
    return await rankQueries(index, rows, queries, pool)
  } finally {
    await index.close()
  }
}

/** Labels are row numbers, from 1. */
function describedRows({ dimension, vectors, trackClips }: DescriptorRows): LabelledVector[] {
  return [...trackClips.keys()].flatMap((row) =>
    isEmptyRow(vectors, dimension, row)
      ? []
      : [{ label: row + 1, vector: vectors.subarray(row * dimension, (row + 1) * dimension) }],
  )
}

async function rankQueries(
  index: HnswIndex,
  rows: DescriptorRows,
  queries: Float32Array,
  pool: Pool,
): Promise<RankedClips[]> {
  const { dimension } = rows
  const all = [...Array(queries.length / dimension).keys()]
  const asked = all.filter((at) => !isEmptyRow(queries, dimension, at))
  const vectors = asked.map((at) => queries.subarray(at * dimension, (at + 1) * dimension))
  const ranked = await rankThrough(index, vectors, rows, pool)
  const rankingOf = new Map(asked.map((at, i) => [at, ranked[i] ?? []]))
  return all.map((at) => rankingOf.get(at) ?? [])
}

/** The query of an identity without a track. */
function isEmptyRow(rows: Float32Array, dimension: number, at: number): boolean {
  return rows.subarray(at * dimension, (at + 1) * dimension).every((value) => value === 0)
}
