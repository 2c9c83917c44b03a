import type { Database } from '../sqlite.js'
import { textsOf } from './users.js'

/** An API key as stored. Times are in ms since 1970. */
export interface ApiKeyRow {
  readonly keyId: string
  /** Its owner. */
  readonly userId: string
  readonly name: string
  /** SHA-256 of the secret, hex. */
  readonly secretHash: string
  readonly roles: readonly string[]
  /** Sees all that its owner sees. */
  readonly hasAllCollections: boolean
  readonly createdAtMs: number
  readonly expiresAtMs: number
  /** Undefined: never used. */
  readonly usedAtMs: number | undefined
}

interface Stored extends Omit<ApiKeyRow, 'roles' | 'hasAllCollections' | 'usedAtMs'> {
  readonly roles: string
  readonly allCollections: number
  readonly usedAtMs: number | null
}

const selectSql = `SELECT key_id AS keyId, user_id AS userId, name, secret_hash AS secretHash, roles,
  all_collections AS allCollections, created_at_ms AS createdAtMs, expires_at_ms AS expiresAtMs, used_at_ms AS usedAtMs
  FROM api_keys`

const rowOf = ({ roles, allCollections, usedAtMs, ...row }: Stored): ApiKeyRow => ({
  ...row,
  roles: textsOf(roles),
  hasAllCollections: allCollections !== 0,
  usedAtMs: usedAtMs ?? undefined,
})

/** The oldest first. */
export const listKeyRows = (database: Database): ApiKeyRow[] =>
  database.prepare<[], Stored>(`${selectSql} ORDER BY created_at_ms, key_id`).all().map(rowOf)

export function findKeyRow(database: Database, keyId: string): ApiKeyRow | undefined {
  const found = database.prepare<[string], Stored>(`${selectSql} WHERE key_id = ?`).get(keyId)
  return found === undefined ? undefined : rowOf(found)
}

export function insertKey(database: Database, key: Omit<ApiKeyRow, 'usedAtMs'>): void {
  const { roles, hasAllCollections, ...row } = key
  database
    .prepare(
      `INSERT INTO api_keys (key_id, user_id, name, secret_hash, roles, all_collections, created_at_ms, expires_at_ms)
       VALUES (@keyId, @userId, @name, @secretHash, @roles, @allCollections, @createdAtMs, @expiresAtMs)`,
    )
    .run({ ...row, roles: JSON.stringify(roles), allCollections: Number(hasAllCollections) })
}

export function noteKeyUse(database: Database, keyId: string, atMs: number): void {
  database.prepare('UPDATE api_keys SET used_at_ms = ? WHERE key_id = ?').run(atMs, keyId)
}

/** @returns false if there was none */
export const deleteKey = (database: Database, keyId: string): boolean =>
  database.prepare('DELETE FROM api_keys WHERE key_id = ?').run(keyId).changes > 0
