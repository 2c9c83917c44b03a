import type { Database } from '../sqlite.js'
import { textsOf } from './users.js'

/** A collection as stored. */
export interface CollectionRow {
  readonly collectionId: string
  readonly name: string
  /** Equal for names that are the same name. */
  readonly nameKey: string
  /** Folders and URLs. */
  readonly folders: readonly string[]
  /** ms since 1970. */
  readonly createdAtMs: number
}

interface Stored extends Omit<CollectionRow, 'folders'> {
  readonly folders: string
}

const columnsSql =
  'collection_id AS collectionId, name, name_key AS nameKey, folders, created_at_ms AS createdAtMs'

const rowOf = ({ folders, ...row }: Stored): CollectionRow => ({ ...row, folders: textsOf(folders) })

/** In order of their names. */
export const listCollectionRows = (database: Database): CollectionRow[] =>
  database.prepare<[], Stored>(`SELECT ${columnsSql} FROM collections ORDER BY name_key`).all().map(rowOf)

export function findCollectionRow(database: Database, collectionId: string): CollectionRow | undefined {
  const found = database
    .prepare<[string], Stored>(`SELECT ${columnsSql} FROM collections WHERE collection_id = ?`)
    .get(collectionId)
  return found === undefined ? undefined : rowOf(found)
}

export function findCollectionNamed(database: Database, nameKey: string): CollectionRow | undefined {
  const found = database
    .prepare<[string], Stored>(`SELECT ${columnsSql} FROM collections WHERE name_key = ?`)
    .get(nameKey)
  return found === undefined ? undefined : rowOf(found)
}

export function insertCollection(database: Database, own: CollectionRow): void {
  database
    .prepare(
      'INSERT INTO collections (collection_id, name, name_key, folders, created_at_ms) VALUES (?, ?, ?, ?, ?)',
    )
    .run(own.collectionId, own.name, own.nameKey, JSON.stringify(own.folders), own.createdAtMs)
}

export function updateCollection(database: Database, own: CollectionRow): void {
  database
    .prepare('UPDATE collections SET name = ?, name_key = ?, folders = ? WHERE collection_id = ?')
    .run(own.name, own.nameKey, JSON.stringify(own.folders), own.collectionId)
}

/** Deletes a collection with all its grants. */
export function deleteCollectionRow(database: Database, collectionId: string): void {
  database.prepare('DELETE FROM collections WHERE collection_id = ?').run(collectionId)
}

/** Who holds a grant. */
export type Holder = { readonly kind: 'user' | 'key'; readonly id: string }

const tableOf = ({ kind }: Holder) =>
  kind === 'user' ? { table: 'user_grants', column: 'user_id' } : { table: 'key_grants', column: 'key_id' }

/** Ids of what a holder was granted, in order of the collections' names. */
export function grantsOf(database: Database, holder: Holder): string[] {
  const { table, column } = tableOf(holder)
  return database
    .prepare<[string], string>(
      `SELECT collection_id FROM ${table} JOIN collections USING (collection_id) WHERE ${column} = ? ORDER BY name_key`,
    )
    .pluck()
    .all(holder.id)
}

/** Replaces what a holder was granted. */
export function replaceGrants(database: Database, holder: Holder, collectionIds: readonly string[]): void {
  const { table, column } = tableOf(holder)
  database.prepare(`DELETE FROM ${table} WHERE ${column} = ?`).run(holder.id)
  const insert = database.prepare(`INSERT INTO ${table} (${column}, collection_id) VALUES (?, ?)`)
  for (const collectionId of new Set(collectionIds)) insert.run(holder.id, collectionId)
}
