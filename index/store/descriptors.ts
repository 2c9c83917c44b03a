import { CameoError } from '../../pipeline/common/errors.js'
import { toBlob, toFloat32 } from './blobs.js'
import { isWhole } from './checksum.js'
import { perConnection } from './per-connection.js'

/** One entry of the change log, with the current state of its label. */
export interface DescriptorChange {
  readonly change: number
  readonly label: number
  readonly vector: Float32Array | 'erased' | 'damaged'
}

export interface LiveDescriptor {
  readonly label: number
  readonly vector: Float32Array | 'damaged'
}

export interface LivePage {
  readonly descriptors: readonly LiveDescriptor[]
  /** The next page begins after this label. Undefined after the last page. */
  readonly next: number | undefined
}

/**
 * The rows of `descriptors` and its change log. All functions are synchronous. No transaction stays open between
 * calls.
 */
export interface DescriptorStore {
  /** Stores a descriptor (L2-normalised, the space's dimension) and returns its label, which is never reused. */
  insert(spaceId: number, trackId: number, vector: Float32Array): number
  /** The number of the newest change in any space, or 0. Numbers increase in the order of commits. */
  lastChange(): number
  /**
   * Up to `limit` changes of the space after `change`, in order. A page shorter than `limit` is the last one. A label
   * that is erased later in the log counts as erased at every entry, so applying the pages in order is idempotent.
   * @throws ARCHIVE_DAMAGED if the log itself is damaged, because it cannot be applied
   */
  changesAfter(spaceId: number, change: number, limit: number): DescriptorChange[]
  /** Number of live descriptors of the space. */
  count(spaceId: number): number
  /**
   * Up to `limit` live descriptors of the space with labels above `label`, in order of labels. Includes damaged
   * descriptors of any space.
   */
  liveAfter(spaceId: number, label: number, limit: number): LivePage
  /** Tracks of stored segments that have no descriptor in any space. */
  tracksWithout(): { readonly trackId: number; readonly clipId: string }[]
}

interface ChangeRow {
  readonly change: number
  readonly label: number
  readonly vector: Buffer | null
  readonly isWhole: number | null
  readonly isWholeEntry: number
}

interface LiveRow {
  readonly label: number
  readonly vector: Buffer
  readonly isWhole: number
}

/** Statements are prepared once for the connection. */
export const createDescriptorStore = perConnection((database): DescriptorStore => {
  const insert = database.prepare<[number, number, Buffer]>(
    'INSERT INTO descriptors (space_id, track_id, vector) VALUES (?, ?, ?)',
  )
  const lastChange = database
    .prepare<[], number | null>('SELECT max(change) FROM descriptor_changes')
    .pluck(true)
  const changes = database.prepare<[number, number, number], ChangeRow>(
    `SELECT c.change, c.label, d.vector, ${isWhole('descriptors', 'd')} AS isWhole,
       ${isWhole('descriptor_changes', 'c')} AS isWholeEntry
       FROM descriptor_changes c LEFT JOIN descriptors d ON d.label = c.label AND d.space_id = c.space_id
      WHERE c.change > ? AND (c.space_id = ? OR NOT isWholeEntry) ORDER BY c.change LIMIT ?`,
  )
  const count = database
    .prepare<[number], number>('SELECT count(*) FROM descriptors WHERE space_id = ?')
    .pluck(true)
  const live = database.prepare<[number, number, number], LiveRow>(
    // Does not use the index of spaces, because a damaged index entry would hide a row.
    `SELECT label, vector, ${isWhole('descriptors')} AS isWhole FROM descriptors NOT INDEXED
     WHERE label > ? AND (space_id = ? OR NOT isWhole) ORDER BY label LIMIT ?`,
  )
  const without = database.prepare<[], { trackId: number; clipId: string }>(
    `SELECT track_id AS trackId, clip_id AS clipId
     FROM tracks NOT INDEXED JOIN segments USING (clip_id, recipe, segment)
     WHERE track_id NOT IN (SELECT track_id FROM descriptors NOT INDEXED)`,
  )
  return {
    insert: (spaceId, trackId, vector) =>
      Number(insert.run(spaceId, trackId, toBlob(vector)).lastInsertRowid),
    lastChange: () => lastChange.get() ?? 0,
    changesAfter: (spaceId, change, limit) =>
      changes.all(change, spaceId, limit).map((row) => {
        if (row.isWholeEntry === 0)
          throw new CameoError('ARCHIVE_DAMAGED', 'the log of changes to the vectors is damaged')
        return { change: row.change, label: row.label, vector: stateOf(row) }
      }),
    count: (spaceId) => count.get(spaceId) ?? 0,
    liveAfter(spaceId, label, limit) {
      const rows = live.all(label, spaceId, limit)
      return {
        descriptors: rows.map((row) => ({
          label: row.label,
          vector: row.isWhole === 0 ? 'damaged' : toFloat32(row.vector),
        })),
        next: rows.length < limit ? undefined : rows.at(-1)?.label,
      }
    },
    tracksWithout: () => without.all(),
  }
})

function stateOf({ vector, isWhole }: ChangeRow): DescriptorChange['vector'] {
  if (vector === null) return 'erased'
  return isWhole === 0 ? 'damaged' : toFloat32(vector)
}
