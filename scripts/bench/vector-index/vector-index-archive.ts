import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createClipStore } from '../../../index/store/clips.js'
import { databaseFileName, openDatabase } from '../../../index/store/database.js'
import type { Database } from '../../../index/store/sqlite.js'
import { createDescriptorStore } from '../../../index/store/descriptors.js'
import { createGroupCommit } from '../../../index/store/group-commit.js'
import { activateSpace } from '../../../index/store/meta.js'
import { TrackRows } from '../../../index/store/track-rows.js'
import { inTransaction } from '../../../index/store/transaction.js'
import type { VectorCache } from '../../../index/vectors/archive/cached-index.js'

export const dimension = 512
export const spaceId = 1

/** Tracks per segment. */
const segmentTracks = 32

const key = { clipId: 'clip', recipe: 'recipe' }
const facts = {
  sizeBytes: 1,
  durationS: undefined,
  widthPx: 640,
  heightPx: 360,
  codec: 'h264',
  container: 'mp4',
}

/** An archive of `tracks` tracks without descriptors. An existing archive keeps its content. */
export function openBenchArchive(dir: string, tracks: number): Database {
  if (existsSync(join(dir, databaseFileName))) return openDatabase(dir)
  const database = openDatabase(dir, { create: true })
  createClipStore(database).plan(key, facts, 1, true)
  // The first space of an archive has the id 1.
  activateSpace(database, { spaceDigest: 'd', packName: 'bench' }, dimension)
  addTracks(database, 0, tracks)
  return database
}

/**
 * Adds tracks for the rows `from` to `to`. Row i becomes track i + 1 and, because rows are stored in order,
 * label i + 1.
 */
export function addTracks(database: Database, from: number, to: number): void {
  const rows = new TrackRows(database)
  inTransaction(database, () => {
    for (let i = from; i < to; i++)
      rows.addBare(
        key,
        { segment: Math.floor(i / segmentTracks), provider: 'cpu' },
        { number: i % segmentTracks, spansS: [[0, 1]], samples: 1, quality: 1 },
      )
  })
}

/** Number of descriptors in an archive. */
export function storedCount(database: Database): number {
  return createDescriptorStore(database).count(spaceId)
}

/** The vectors of rows from `first` on. */
export interface Rows {
  readonly vectors: Float32Array
  readonly first: number
}

/**
 * Stores rows `from` to `to` as an ingest does: rows of a quarter of a second share one commit, and then the
 * index catches up. (Storing the rows of one turn takes some 20 ms.)
 */
export async function ingest(
  database: Database,
  cache: VectorCache | undefined,
  { vectors, first }: Rows,
  from: number,
  to: number,
): Promise<void> {
  const store = createDescriptorStore(database)
  const commits = createGroupCommit(database, (error) => {
    throw error
  })
  for (let i = from; i < to; i++) {
    if (i % segmentTracks === 0 || i === from) commits.begin()
    store.insert(spaceId, i + 1, rowOf(vectors, i - first))
  }
  commits.flush()
  await cache?.catchUp()
  await cache?.snapshotIfDue()
  await cache?.compactIfNeeded()
}

export function rowOf(vectors: Float32Array, row: number): Float32Array {
  return vectors.subarray(row * dimension, (row + 1) * dimension)
}

/** The snapshot's file, which any program with hnswlib can read. */
export function snapshotFile(indexDir: string): string {
  const file = readdirSync(indexDir).find((name) => name.endsWith('.hnsw'))
  if (file === undefined) throw new Error(`no snapshot in ${indexDir}`)
  return join(indexDir, file)
}
