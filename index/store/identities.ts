import { isWhole } from './checksum.js'
import type { Database } from './sqlite.js'

/** An enrolled name. */
export interface Identity {
  readonly name: string
  /** Number of faces, for the embedder with the most of them. */
  readonly faces: number
}

/** Every name, sorted. */
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

/** Adds the name if it is new. It is no longer an alias of another name then. */
export function addIdentity(database: Database, name: string): void {
  database.prepare('DELETE FROM identity_aliases WHERE alias = ?').run(name)
  database.prepare('INSERT INTO identities (name) VALUES (?) ON CONFLICT DO NOTHING').run(name)
}

/**
 * The id of a name. Undefined if no row has it. Reads the rows instead of the index of names, because the index may
 * be damaged.
 */
export function findIdentity(database: Database, name: string): number | undefined {
  return database
    .prepare<[string], number>('SELECT identity_id FROM identities NOT INDEXED WHERE name = ?')
    .pluck()
    .get(name)
}

/** True if a row of a name is damaged. */
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
