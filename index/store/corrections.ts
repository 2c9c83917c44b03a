import { isWhole } from './checksum.js'
import type { Database } from './sqlite.js'

/** What a person said about a track and a name. */
export type Verdict = 'confirmed' | 'rejected'

export interface CorrectionRow {
  readonly correctionId: number
  readonly clipId: string
  /** JSON; see `TrackPlace`. */
  readonly place: string
  readonly verdict: Verdict
  /** ISO 8601. */
  readonly at: string
}

/** The intact corrections of a name, in the order in which they were made. */
export function correctionsOf(database: Database, identityId: number): CorrectionRow[] {
  return database
    .prepare<[number], CorrectionRow>(
      `SELECT correction_id AS correctionId, clip_id AS clipId, place, verdict, at FROM corrections
       WHERE identity_id = ? AND ${isWhole('corrections')} ORDER BY at, correction_id`,
    )
    .all(identityId)
}

/** True if a correction of the name is damaged. */
export function hasDamagedCorrection(database: Database, identityId: number): boolean {
  return (
    database
      .prepare(`SELECT 1 FROM corrections WHERE identity_id = ? AND NOT ${isWhole('corrections')} LIMIT 1`)
      .get(identityId) !== undefined
  )
}

export function addCorrection(
  database: Database,
  identityId: number,
  { clipId, place, verdict, at }: Omit<CorrectionRow, 'correctionId'>,
): void {
  database
    .prepare('INSERT INTO corrections (identity_id, clip_id, place, verdict, at) VALUES (?, ?, ?, ?, ?)')
    .run(identityId, clipId, place, verdict, at)
}

export function deleteCorrection(database: Database, correctionId: number): void {
  database.prepare('DELETE FROM corrections WHERE correction_id = ?').run(correctionId)
}

/** Deletes all corrections of a name about a clip. Returns their number. */
export function deleteCorrectionsOf(database: Database, identityId: number, clipId: string): number {
  return database
    .prepare('DELETE FROM corrections WHERE identity_id = ? AND clip_id = ?')
    .run(identityId, clipId).changes
}

/** The names that have corrections about a clip. */
export function namesCorrectedIn(database: Database, clipId: string): string[] {
  return database
    .prepare<[string], string>(
      'SELECT DISTINCT name FROM corrections JOIN identities USING (identity_id) WHERE clip_id = ? ORDER BY name',
    )
    .pluck()
    .all(clipId)
}

/** Deletes all corrections about a clip. */
export function deleteCorrectionsIn(database: Database, clipId: string): void {
  database.prepare('DELETE FROM corrections WHERE clip_id = ?').run(clipId)
}

/** A track of a clip that has a descriptor in the space, with what says where it is. */
export interface PlacedTrack {
  readonly trackId: number
  readonly recipe: string
  readonly segment: number
  readonly number: number
  /** JSON: [[startS, endS], …] */
  readonly spans: string
  /** float32, little-endian, L2-normalised. */
  readonly vector: Uint8Array
}

/** The tracks of a clip whose own rows are intact, in order. */
export function placedTracks(database: Database, clipId: string, spaceId: number): PlacedTrack[] {
  return database
    .prepare<[string, number], PlacedTrack>(
      `SELECT track_id AS trackId, recipe, segment, number, spans, vector
       FROM tracks JOIN descriptors USING (track_id)
       WHERE clip_id = ? AND +space_id = ? AND ${isWhole('tracks')} AND ${isWhole('descriptors')} ORDER BY track_id`,
    )
    .all(clipId, spaceId)
}
