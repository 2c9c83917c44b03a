import { toBlob, toUint16 } from './blobs.js'
import { isWhole } from './checksum.js'
import type { Database } from './sqlite.js'

/** A face of a name, embedded by one embedder. */
export interface NewReferenceFace {
  /** The file that it came from, as given at enrolment. */
  readonly source: string
  readonly embedder: string
  /** Length of the embedding before it was normalised. */
  readonly norm: number
  /** Half-precision bits of the L2-normalised embedding. */
  readonly float16: Uint16Array
  /** 0..1. */
  readonly quality: number
  /** Row of its picture. Null if none was kept. */
  readonly pictureId: number | null
}

export interface ReferenceFaceRow extends NewReferenceFace {
  readonly referenceId: number
}

interface Row extends Omit<ReferenceFaceRow, 'float16'> {
  readonly vector: Uint8Array
}

/** Stores faces of a name. They replace its faces from the same sources by the same embedders. */
export function replaceReferenceFaces(
  database: Database,
  identityId: number,
  faces: readonly NewReferenceFace[],
): void {
  const remove = database.prepare(
    'DELETE FROM reference_faces WHERE identity_id = ? AND source = ? AND embedder = ?',
  )
  for (const { source, embedder } of faces) remove.run(identityId, source, embedder)
  addReferenceFaces(database, identityId, faces)
}

/** Stores further faces of a name. */
export function addReferenceFaces(
  database: Database,
  identityId: number,
  faces: readonly NewReferenceFace[],
): void {
  const insert = database.prepare(
    `INSERT INTO reference_faces (identity_id, source, embedder, norm, vector, quality, picture_id)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  )
  for (const { source, embedder, norm, float16, quality, pictureId } of faces)
    insert.run(identityId, source, embedder, norm, toBlob(float16), quality, pictureId)
}

/** Every face of a name by every embedder, in storage order, including damaged ones. */
export const referenceFaces = (database: Database, name: string) => readFaces(database, 'name = ?', name)

/** The same as `referenceFaces`, without damaged ones. */
export const wholeReferenceFaces = (database: Database, name: string) =>
  readFaces(database, `name = ? AND ${isWhole('reference_faces')}`, name)

/** The same as `referenceFaces`, but by id, so that it does not read the index of names, which may be damaged. */
export const facesOfIdentity = (database: Database, identityId: number) =>
  readFaces(database, 'identity_id = ?', identityId)

function readFaces(database: Database, condition: string, value: string | number): ReferenceFaceRow[] {
  return database
    .prepare<[string | number], Row>(
      `SELECT reference_id AS referenceId, source, embedder, norm, vector, quality, picture_id AS pictureId
       FROM reference_faces JOIN identities USING (identity_id) WHERE ${condition} ORDER BY reference_id`,
    )
    .all(value)
    .map(({ vector, ...row }) => ({ ...row, float16: toUint16(vector) }))
}

/**
 * For each face of a name: its source, and whether it is intact. Undefined if faces are lost: there are not as many as
 * the name should have, or the index of faces leads twice to the same.
 */
export function referenceFaceStates(
  database: Database,
  identityId: number,
): { readonly source: string; readonly isWhole: boolean }[] | undefined {
  const rowCount = database
    .prepare<[number], number>('SELECT row_count FROM identities WHERE identity_id = ?')
    .pluck()
    .get(identityId)
  // An entry of the index may lead to a face of another name. Each row itself says whose it is.
  const rows = database
    .prepare<[number], { referenceId: number; source: string; isWhole: number }>(
      `SELECT face.reference_id AS referenceId, face.source,
              face.identity_id = entry.identity_id AND ${isWhole('reference_faces', 'face')} AS isWhole
       FROM reference_faces AS entry JOIN reference_faces AS face ON face.reference_id = entry.reference_id
       WHERE entry.identity_id = ?`,
    )
    .all(identityId)
  const distinct = new Set(rows.map(({ referenceId }) => referenceId)).size
  if (distinct !== rowCount) return undefined
  return rows.map(({ source, isWhole }) => ({ source, isWhole: isWhole !== 0 }))
}

/** True if a name has a face from this source, by any embedder. */
export function hasSource(database: Database, name: string, source: string): boolean {
  return (
    database
      .prepare(
        'SELECT 1 FROM reference_faces JOIN identities USING (identity_id) WHERE name = ? AND source = ? LIMIT 1',
      )
      .get(name, source) !== undefined
  )
}

/** True if a name has any face. */
export function hasReferenceFaces(database: Database, name: string): boolean {
  return (
    database
      .prepare('SELECT 1 FROM reference_faces JOIN identities USING (identity_id) WHERE name = ? LIMIT 1')
      .get(name) !== undefined
  )
}

/** Every source that a name has faces from. */
export function listSources(database: Database): { readonly name: string; readonly source: string }[] {
  return database
    .prepare<[], { name: string; source: string }>(
      'SELECT DISTINCT name, source FROM identities JOIN reference_faces USING (identity_id)',
    )
    .all()
}

export function deleteReferenceFaces(database: Database, referenceIds: readonly number[]): void {
  const remove = database.prepare('DELETE FROM reference_faces WHERE reference_id = ?')
  for (const referenceId of referenceIds) remove.run(referenceId)
}

/** Deletes the faces of a name from one source. Returns the number of deleted rows. */
export function deleteReferenceFacesFrom(database: Database, name: string, source: string): number {
  return database
    .prepare(
      `DELETE FROM reference_faces WHERE source = ?
       AND identity_id = (SELECT identity_id FROM identities WHERE name = ?)`,
    )
    .run(source, name).changes
}
