import { isWhole } from './checksum.js'
import type { Database } from './sqlite.js'

/*
 * Functions for redescribing an archive: they read descriptors of two spaces at the same time. `+` keeps SQLite from searching a track's descriptors by space, because all rows of a space share that key.
 */

/** A track that has a descriptor in a space. */
export interface DescribedTrack {
  readonly label: number
  readonly trackId: number
  readonly clipId: string
  /** True if it also has a descriptor in the next space. */
  readonly isDone: boolean
}

/**
 * Reads the tracks of one space, in the order of their labels.
 * @param next the space in which tracks get a second descriptor
 * @returns a function that returns up to `limit` tracks after a label
 */
export function describedTracks(
  database: Database,
  { spaceId, next, limit }: { readonly spaceId: number; readonly next: number; readonly limit: number },
): (afterLabel: number) => DescribedTrack[] {
  const select = database.prepare<
    [number, number, number, number],
    { label: number; trackId: number; clipId: string; isDone: number }
  >(
    `SELECT label, track_id AS trackId, clip_id AS clipId,
       EXISTS (SELECT 1 FROM descriptors done WHERE done.track_id = d.track_id AND +done.space_id = ?) AS isDone
     FROM descriptors d JOIN tracks USING (track_id) WHERE space_id = ? AND label > ? ORDER BY label LIMIT ?`,
  )
  return (afterLabel) =>
    select.all(next, spaceId, afterLabel, limit).map((row) => ({ ...row, isDone: row.isDone !== 0 }))
}

/** Tables with rows that name their recipe. */
export const recipeTables = ['runs', 'segments', 'tracks', 'context_features'] as const

/**
 * Moves rows from one recipe to another. Rows of `exceptClipIds` stay. The list must include every clip with a
 * damaged row, because a rewritten row gets a new checksum. Deletes checkpoints, because they were made under the
 * first recipe; unfinished segments start from the beginning. Call this within a transaction.
 */
export function moveToRecipe(
  database: Database,
  { from, to, exceptClipIds }: Readonly<Record<'from' | 'to', string>> & { exceptClipIds: readonly string[] },
): void {
  // Runs and their dependent rows change one after the other.
  database.pragma('defer_foreign_keys = ON')
  const moved = 'recipe = ? AND clip_id NOT IN (SELECT value FROM json_each(?))'
  const excepted = JSON.stringify(exceptClipIds)
  database.prepare(`DELETE FROM checkpoints WHERE ${moved}`).run(from, excepted)
  for (const table of recipeTables)
    database
      .prepare(`UPDATE ${table} SET recipe = ? WHERE ${moved} AND ${isWhole(table)}`)
      .run(to, from, excepted)
}

/**
 * Deletes up to `limit` descriptors of a space if their tracks also have one in another space. Returns the number of
 * deleted rows.
 * @param kept the other space
 */
export function deleteReplacedDescriptors(
  database: Database,
  { spaceId, kept, limit }: { readonly spaceId: number; readonly kept: number; readonly limit: number },
): number {
  return database
    .prepare<[number, number, number]>(
      `DELETE FROM descriptors WHERE label IN (SELECT label FROM descriptors old WHERE space_id = ?
         AND EXISTS (SELECT 1 FROM descriptors kept WHERE kept.track_id = old.track_id AND +kept.space_id = ?)
         LIMIT ?)`,
    )
    .run(spaceId, kept, limit).changes
}

/** Deletes a space without descriptors. */
export function deleteSpace(database: Database, spaceId: number): void {
  database.prepare('DELETE FROM spaces WHERE space_id = ?').run(spaceId)
}

/** True if a label of the space was erased after a change. */
export function hasErasedSince(database: Database, spaceId: number, change: number): boolean {
  const hasErased = database
    .prepare<[number, number], number>(
      `SELECT EXISTS (SELECT 1 FROM descriptor_changes c WHERE c.change > ? AND c.space_id = ?
         AND NOT EXISTS (SELECT 1 FROM descriptors d WHERE d.label = c.label))`,
    )
    .pluck()
  return hasErased.get(change, spaceId) === 1
}
