import { toBlob, toFloat32 } from './blobs.js'
import type { Database } from './database.js'

/** One entry of the change log, with the state of its label now: the vector, or `undefined` where it is erased. */
export interface DescriptorChange {
  readonly change: number
  readonly label: number
  readonly vector: Float32Array | undefined
}

export interface LiveDescriptor {
  readonly label: number
  readonly vector: Float32Array
}

/** The rows of `descriptors` and its change log. All functions are synchronous and hold no transaction between calls. */
export interface DescriptorStore {
  /** Stores a descriptor (L2-normalised, the space's dimension) and returns its label, which is never reused. */
  insert(spaceId: number, trackId: number, vector: Float32Array): number
  /** The number of the newest change in any space; 0 where there is none. Numbers grow in the order of commits. */
  lastChange(): number
  /**
   * Up to `limit` changes of the space after `change`, in order. A page shorter than `limit` is the last one.
   * A label erased later in the log is `undefined` at every entry, so applying the pages in order is idempotent.
   */
  changesAfter(spaceId: number, change: number, limit: number): DescriptorChange[]
  /** Live descriptors of the space. */
  count(spaceId: number): number
  /** Up to `limit` live descriptors of the space with labels above `label`, in order of labels. */
  liveAfter(spaceId: number, label: number, limit: number): LiveDescriptor[]
}

interface ChangeRow {
  readonly change: number
  readonly label: number
  readonly vector: Buffer | null
}

interface LiveRow {
  readonly label: number
  readonly vector: Buffer
}

/** Statements are prepared once for the connection. */
export function createDescriptorStore(database: Database): DescriptorStore {
  const insert = database.prepare<[number, number, Buffer]>(
    'INSERT INTO descriptors (space_id, track_id, vector) VALUES (?, ?, ?)',
  )
  const lastChange = database
    .prepare<[], number | null>('SELECT max(change) FROM descriptor_changes')
    .pluck(true)
  const changes = database.prepare<[number, number, number], ChangeRow>(
    `SELECT c.change, c.label, d.vector
       FROM descriptor_changes c LEFT JOIN descriptors d ON d.label = c.label AND d.space_id = c.space_id
      WHERE c.change > ? AND c.space_id = ? ORDER BY c.change LIMIT ?`,
  )
  const count = database
    .prepare<[number], number>('SELECT count(*) FROM descriptors WHERE space_id = ?')
    .pluck(true)
  const live = database.prepare<[number, number, number], LiveRow>(
    'SELECT label, vector FROM descriptors WHERE label > ? AND space_id = ? ORDER BY label LIMIT ?',
  )
  return {
    insert: (spaceId, trackId, vector) =>
      Number(insert.run(spaceId, trackId, toBlob(vector)).lastInsertRowid),
    lastChange: () => lastChange.get() ?? 0,
    changesAfter: (spaceId, change, limit) =>
      changes.all(change, spaceId, limit).map((row) => ({
        change: row.change,
        label: row.label,
        vector: row.vector === null ? undefined : toFloat32(row.vector),
      })),
    count: (spaceId) => count.get(spaceId) ?? 0,
    liveAfter: (spaceId, label, limit) =>
      live.all(label, spaceId, limit).map((row) => ({ label: row.label, vector: toFloat32(row.vector) })),
  }
}
