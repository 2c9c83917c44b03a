import type { Database } from './sqlite.js'
import { checkedColumns, isWhole, type CheckedTable } from './checksum.js'

/** A track's place in its clip. */
export interface TrackPlace {
  readonly recipe: string
  readonly segment: number
  readonly number: number
  /** JSON: [[startS, endS], …] */
  readonly spans: string
  /** JSON: [x1, y1, x2, y2] of the best face, px. */
  readonly box: string | null
}

/** The place of a track that is not there at the moment. */
export interface WaitingAnchor extends TrackPlace {
  readonly anchorId: number
  readonly clipId: string
  /** Whose track it was. */
  readonly personId: number | null
}

export interface PlacedTrack extends TrackPlace {
  readonly trackId: number
}

/** Places without a track, in order of their clips. */
export function waitingAnchors(database: Database): WaitingAnchor[] {
  return database
    .prepare<[], WaitingAnchor>(
      `SELECT anchor_id AS anchorId, clip_id AS clipId, recipe, segment, number, spans, box, person_id AS personId
       FROM people_anchors WHERE track_id IS NULL AND ${isWhole('people_anchors')} ORDER BY clip_id, anchor_id`,
    )
    .all()
}

/** The tracks of a clip under a recipe. */
export function placedTracks(database: Database, clipId: string, recipe: string): PlacedTrack[] {
  return database
    .prepare<[string, string], PlacedTrack>(
      `SELECT track_id AS trackId, recipe, segment, number, spans,
         (SELECT box FROM faces f WHERE f.track_id = t.track_id ORDER BY quality DESC LIMIT 1) AS box
       FROM tracks t WHERE clip_id = ? AND recipe = ? ORDER BY track_id`,
    )
    .all(clipId, recipe)
}

/** True if every segment of the clip is stored under the recipe, or failed. */
export function isProcessed(database: Database, clipId: string, recipe: string): boolean {
  return (
    database
      .prepare("SELECT 1 FROM runs WHERE clip_id = ? AND recipe = ? AND state <> 'working'")
      .get(clipId, recipe) !== undefined
  )
}

/** Says that a place has this track now. Its person gets it, unless it has one already. */
export function fillAnchor(database: Database, { anchorId, personId }: WaitingAnchor, trackId: number): void {
  if (personId !== null)
    database
      .prepare('INSERT INTO people_tracks (track_id, person_id) VALUES (?, ?) ON CONFLICT DO NOTHING')
      .run(trackId, personId)
  database
    .prepare('UPDATE people_anchors SET track_id = ?, person_id = NULL WHERE anchor_id = ?')
    .run(trackId, anchorId)
}

/** The person no longer waits for a track at this place. */
export function leaveAnchor(database: Database, anchorId: number): void {
  database.prepare('UPDATE people_anchors SET person_id = NULL WHERE anchor_id = ?').run(anchorId)
}

/** Deletes the places of clips that are neither stored nor met at a path. */
export function deleteAnchorsWithoutClip(database: Database): void {
  database.exec(
    `DELETE FROM people_anchors WHERE clip_id NOT IN (SELECT clip_id FROM clips)
     AND clip_id NOT IN (SELECT clip_id FROM paths WHERE clip_id IS NOT NULL)`,
  )
}

const peopleTables = (Object.keys(checkedColumns) as CheckedTable[]).filter(isPeopleTable)

/** True for the tables of people without labels: their damage concerns no clip and no name. */
export function isPeopleTable(table: CheckedTable): boolean {
  return table.startsWith('people')
}

/** Deletes damaged rows of people: nothing can restore them. Returns their number. */
export function deleteDamagedPeople(database: Database): number {
  return peopleTables.reduce(
    (sum, table) => sum + database.prepare(`DELETE FROM ${table} WHERE NOT ${isWhole(table)}`).run().changes,
    0,
  )
}
