import { isWhole } from './checksum.js'
import type { Database } from './sqlite.js'

/** The name that has this alias. */
export function nameOfAlias(database: Database, alias: string): string | undefined {
  return database
    .prepare<[string], string>(
      'SELECT name FROM identity_aliases JOIN identities USING (identity_id) WHERE alias = ?',
    )
    .pluck()
    .get(alias)
}

/** The intact aliases of a name, sorted. */
export function aliasesOf(database: Database, identityId: number): string[] {
  return database
    .prepare<[number], string>(
      `SELECT alias FROM identity_aliases WHERE identity_id = ? AND ${isWhole('identity_aliases')} ORDER BY alias`,
    )
    .pluck()
    .all(identityId)
}

export function addAlias(database: Database, identityId: number, alias: string): void {
  database.prepare('INSERT INTO identity_aliases (alias, identity_id) VALUES (?, ?)').run(alias, identityId)
}

export function deleteAlias(database: Database, alias: string): void {
  database.prepare('DELETE FROM identity_aliases WHERE alias = ?').run(alias)
}

/** What people wrote about a name. */
export function noteOf(database: Database, identityId: number): string | undefined {
  return (
    database
      .prepare<[number], string | null>('SELECT note FROM identities WHERE identity_id = ?')
      .pluck()
      .get(identityId) ?? undefined
  )
}

export function writeNote(database: Database, identityId: number, note: string | undefined): void {
  database.prepare('UPDATE identities SET note = ? WHERE identity_id = ?').run(note ?? null, identityId)
}
