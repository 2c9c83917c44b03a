import type { Database } from './sqlite.js'

/** How many rows a table has about somebody or something. Tables without such rows are left out. */
export type RowCounts = Readonly<Record<string, number>>

const trackOf = '(SELECT track_id FROM tracks WHERE clip_id = @clipId)'
const faceOf = `(SELECT face_id FROM faces WHERE track_id IN ${trackOf})`

const clipTables: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      ...['clips', 'paths', 'runs', 'segments', 'tracks', 'context_features', 'checkpoints', 'pending_parts'],
      ...['people_anchors', 'corrections', 'alerts', 'alerts_due', 'damaged_clips', 'unnamed_erased'],
    ].map((table) => [table, `SELECT count(*) FROM ${table} WHERE clip_id = @clipId`]),
  ),
  faces: `SELECT count(*) FROM faces WHERE track_id IN ${trackOf}`,
  embeddings: `SELECT count(*) FROM embeddings WHERE face_id IN ${faceOf}`,
  thumbnails: `SELECT count(*) FROM thumbnails WHERE track_id IN ${trackOf}`,
  descriptors: `SELECT count(*) FROM descriptors WHERE track_id IN ${trackOf}`,
  people_tracks: `SELECT count(*) FROM people_tracks WHERE track_id IN ${trackOf}`,
}

/** Rows about a clip. That it is forgotten is noted elsewhere. */
export const countClipRows = (database: Database, clipId: string): RowCounts =>
  count(database, clipTables, { clipId })

const ownIdentity = '(SELECT identity_id FROM identities NOT INDEXED WHERE name = @name)'

const nameTables: Readonly<Record<string, string>> = {
  identities: 'SELECT count(*) FROM identities NOT INDEXED WHERE name = @name',
  ...Object.fromEntries(
    ['reference_faces', 'reference_pictures', 'identity_aliases', 'corrections'].map((table) => [
      table,
      `SELECT count(*) FROM ${table} WHERE identity_id = ${ownIdentity}`,
    ]),
  ),
  alerts: 'SELECT count(*) FROM alerts WHERE name = @name',
  journal: "SELECT count(*) FROM journal WHERE action <> 'forget-name' AND subject ->> '$.name' = @name",
}

/** Rows about a name. The entry of a published journal that says that it was forgotten is not counted. */
export const countNameRows = (database: Database, name: string): RowCounts =>
  count(database, nameTables, { name })

const given = '(SELECT value FROM json_each(@tracks))'

const trackTables: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['tracks', 'faces', 'thumbnails', 'descriptors', 'people_tracks'].map((table) => [
      table,
      `SELECT count(*) FROM ${table} WHERE track_id IN ${given}`,
    ]),
  ),
  embeddings: `SELECT count(*) FROM embeddings WHERE face_id IN (SELECT face_id FROM faces WHERE track_id IN ${given})`,
}

/** Rows about tracks. */
export const countTrackRows = (database: Database, trackIds: readonly number[]): RowCounts =>
  count(database, trackTables, { tracks: JSON.stringify(trackIds) })

function count(
  database: Database,
  tables: Readonly<Record<string, string>>,
  bind: Readonly<Record<string, string>>,
): RowCounts {
  const counts = Object.entries(tables).map(([table, sql]): [string, number] => [
    table,
    database.prepare<[Record<string, string>], number>(sql).pluck().get(bind) ?? 0,
  ])
  return Object.fromEntries(counts.filter(([, rows]) => rows > 0))
}

/** A vector that is about to be erased. */
export interface VectorToErase {
  readonly label: number
  /** float32, L2-normalised. */
  readonly vector: Uint8Array
}

/** The descriptors of tracks in a space. */
export const descriptorsOfTracks = (
  database: Database,
  spaceId: number,
  trackIds: readonly number[],
  limit: number,
): VectorToErase[] =>
  database
    .prepare<[string, number, number], VectorToErase>(
      `SELECT label, vector FROM descriptors WHERE track_id IN (SELECT value FROM json_each(?)) AND +space_id = ?
       ORDER BY label LIMIT ?`,
    )
    .all(JSON.stringify(trackIds), spaceId, limit)

/** Groups that tracks belong to. */
export const groupsOfTracks = (database: Database, trackIds: readonly number[]): number[] =>
  database
    .prepare<[string], number>(
      `SELECT DISTINCT person_id FROM people_tracks WHERE track_id IN (SELECT value FROM json_each(?)) ORDER BY person_id`,
    )
    .pluck()
    .all(JSON.stringify(trackIds))

/** Every group that has tracks. */
export const groupsWithTracks = (database: Database): number[] =>
  database.prepare<[], number>('SELECT DISTINCT person_id FROM people_tracks').pluck().all()

/** Of groups, those that have no tracks any more. */
export const emptyGroups = (database: Database, groupIds: readonly number[]): number[] =>
  database
    .prepare<[string], number>(
      `SELECT value FROM json_each(?) WHERE value NOT IN (SELECT person_id FROM people_tracks)`,
    )
    .pluck()
    .all(JSON.stringify(groupIds))

/** How many faces of names have exactly one of these embeddings. */
export const countFacesWith = (database: Database, vectors: readonly Uint8Array[]): number => {
  const count = database
    .prepare<[Uint8Array], number>('SELECT count(*) FROM reference_faces WHERE vector = ?')
    .pluck()
  return vectors.reduce((sum, vector) => sum + (count.get(vector) ?? 0), 0)
}

/** True if tracks came from brokers, or names go there. */
export const usesTopics = (database: Database): boolean =>
  database
    .prepare("SELECT 1 FROM topic_offsets UNION ALL SELECT 1 FROM meta WHERE key LIKE 'kafka.%' LIMIT 1")
    .get() !== undefined
