import { isWhole } from './checksum.js'
import { addedDateSql, clipDateSql } from './clip-dates.js'
import { firstPathSql, isBelowSql } from './clip-list.js'
import { startsOf } from './path-scope.js'
import { rowsOfTracksSql } from './schema.js'
import type { Database } from './sqlite.js'

/** What the age of a clip is counted from: its date, or when it came into the archive. */
export type AgedBy = 'date' | 'added'

/** A clip of a certain age. */
export interface AgedClip {
  readonly clipId: string
  /** The first of its paths. */
  readonly path: string
  /** ms since 1970. Undefined of a clip with a damaged row: its age is not known. */
  readonly dateMs: number | undefined
}

/** Clips up to a time, in order of their paths, and every clip with a damaged row. @param folders empty: all */
export function clipsUpTo(
  database: Database,
  {
    untilMs,
    by,
    folders,
  }: { readonly untilMs: number; readonly by: AgedBy; readonly folders: readonly string[] },
): AgedClip[] {
  const dateSql = by === 'added' ? addedDateSql : clipDateSql
  return database
    .prepare<{ untilMs: number; starts: string }, { clipId: string; path: string; dateMs: number | null }>(
      `SELECT * FROM (SELECT c.clip_id AS clipId, ${firstPathSql} AS path,
         CASE WHEN ${isWhole('clips', 'c')} THEN ${dateSql} END AS dateMs
         FROM clips c ${folders.length === 0 ? 'WHERE json_valid(@starts)' : `WHERE ${isBelowSql}`})
       WHERE dateMs IS NULL OR dateMs <= @untilMs ORDER BY path`,
    )
    .all({ untilMs, starts: startsOf(folders) })
    .map(({ dateMs, ...clip }) => ({ ...clip, dateMs: dateMs ?? undefined }))
}

/** Ids of every track of a clip, under any recipe. */
export function trackIdsOf(database: Database, clipId: string): number[] {
  return database
    .prepare<[string], number>('SELECT track_id FROM tracks WHERE clip_id = ? ORDER BY track_id')
    .pluck()
    .all(clipId)
}

/**
 * Deletes tracks of a clip with all that depends on them. Its segments then count so many rows less; what a segment had
 * lost before stays missing. Call this within a transaction.
 */
export function deleteTracks(database: Database, clipId: string, trackIds: readonly number[]): void {
  const tracks = JSON.stringify(trackIds)
  database
    .prepare(
      `UPDATE segments SET row_count = row_count - ${rowsOfTracksSql} WHERE clip_id = @clipId AND EXISTS (
         SELECT 1 FROM tracks t WHERE t.clip_id = segments.clip_id AND t.recipe = segments.recipe
           AND t.segment = segments.segment AND t.track_id IN (SELECT value FROM json_each(@tracks)))`,
    )
    .run({ clipId, tracks })
  forgetPlacesOf(database, clipId, tracks)
  database
    .prepare(
      'DELETE FROM tracks WHERE clip_id = @clipId AND track_id IN (SELECT value FROM json_each(@tracks))',
    )
    .run({ clipId, tracks })
}

/** Takes tracks out of the people into whom they were grouped, and their places out of the log of people. */
function forgetPlacesOf(database: Database, clipId: string, tracks: string): void {
  database.prepare('DELETE FROM people_tracks WHERE track_id IN (SELECT value FROM json_each(?))').run(tracks)
  database
    .prepare(
      `DELETE FROM people_anchors WHERE clip_id = @clipId AND EXISTS (
         SELECT 1 FROM tracks t WHERE t.clip_id = people_anchors.clip_id AND t.recipe = people_anchors.recipe
           AND t.segment = people_anchors.segment AND t.number = people_anchors.number
           AND t.track_id IN (SELECT value FROM json_each(@tracks)))`,
    )
    .run({ clipId, tracks })
}

/** Records that so many tracks of a clip were erased, and that no later track was looked at. */
export function noteUnnamedErased(database: Database, clipId: string, tracks: number): void {
  database
    .prepare(
      `INSERT INTO unnamed_erased (clip_id, at, tracks, last_track)
       VALUES (?, ?, ?, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'tracks'), 0))
       ON CONFLICT (clip_id) DO UPDATE SET at = excluded.at, tracks = tracks + excluded.tracks,
         last_track = excluded.last_track`,
    )
    .run(clipId, new Date().toISOString(), tracks)
}

/** Records that all people without names in a clip count as come back. */
export function noteAllReturned(database: Database, clipId: string): void {
  database
    .prepare(
      `INSERT INTO unnamed_erased (clip_id, at, tracks, last_track) VALUES (?, ?, 0, 0)
       ON CONFLICT (clip_id) DO UPDATE SET last_track = 0`,
    )
    .run(clipId, new Date().toISOString())
}

/** Deletes the record: people without names may come back with the clip. */
export function deleteUnnamedErased(database: Database, clipId: string): void {
  database.prepare('DELETE FROM unnamed_erased WHERE clip_id = ?').run(clipId)
}

/** Clips whose people without names were erased, and that were processed again since. */
export function clipsWithReturned(database: Database): string[] {
  return database
    .prepare<[], string>(
      `SELECT clip_id FROM unnamed_erased e WHERE EXISTS (
         SELECT 1 FROM tracks t WHERE t.clip_id = e.clip_id AND t.track_id > e.last_track) ORDER BY clip_id`,
    )
    .pluck()
    .all()
}
