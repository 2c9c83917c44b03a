import { isWhole } from './checksum.js'
import type { Database } from './sqlite.js'

/** A name that is enrolled. */
export interface Identity {
  readonly name: string
  /** By the embedder that knows most of them. */
  readonly faces: number
}

/** Every name, in order. */
export function listIdentities(database: Database): Identity[] {
  return database
    .prepare<[], Identity>(
      `SELECT name, coalesce(max(faces), 0) AS faces
       FROM identities LEFT JOIN (
         SELECT identity_id, count(*) AS faces FROM reference_faces GROUP BY identity_id, embedder
       ) USING (identity_id)
       GROUP BY identity_id ORDER BY name`,
    )
    .all()
}

/** Makes the name where it is new. */
export function addIdentity(database: Database, name: string): void {
  database.prepare('INSERT INTO identities (name) VALUES (?) ON CONFLICT DO NOTHING').run(name)
}

/** The id of a name; undefined where no row has it. Reads the rows, not the index of names, which may be what is damaged. */
export function findIdentity(database: Database, name: string): number | undefined {
  return database
    .prepare<[string], number>('SELECT identity_id FROM identities NOT INDEXED WHERE name = ?')
    .pluck()
    .get(name)
}

/** True where a row of a name is not as it was written. */
export function hasDamagedIdentity(database: Database): boolean {
  return (
    database.prepare(`SELECT 1 FROM identities NOT INDEXED WHERE NOT ${isWhole('identities')}`).get() !==
    undefined
  )
}

/** Deletes a name with its faces. */
export function deleteIdentity(database: Database, identityId: number): void {
  database.prepare('DELETE FROM identities WHERE identity_id = ?').run(identityId)
}
