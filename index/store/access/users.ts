import { z } from 'zod'
import { parseColumn } from '../json-column.js'
import type { Database } from '../sqlite.js'

/** A user as stored. Times are in ms since 1970. */
export interface UserRow {
  readonly userId: string
  readonly name: string
  /** Equal for names that are the same name. */
  readonly nameKey: string
  readonly roles: readonly string[]
  /** Undefined: cannot sign in with a password. */
  readonly passwordHash: string | undefined
  readonly isDisabled: boolean
  /** Sees the whole archive, whatever is granted. */
  readonly hasAllCollections: boolean
  readonly createdAtMs: number
}

interface Stored {
  readonly userId: string
  readonly name: string
  readonly nameKey: string
  readonly roles: string
  readonly passwordHash: string | null
  readonly disabled: number
  readonly allCollections: number
  readonly createdAtMs: number
}

const selectSql = `SELECT user_id AS userId, name, name_key AS nameKey, roles, password_hash AS passwordHash, disabled,
  all_collections AS allCollections, created_at_ms AS createdAtMs FROM users`

const textsSchema = z.array(z.string())

/** A list of texts in a column. */
export const textsOf = (json: string): string[] => parseColumn(textsSchema, json, 'roles or collections')

const rowOf = ({ roles, passwordHash, disabled, allCollections, ...row }: Stored): UserRow => ({
  ...row,
  roles: textsOf(roles),
  passwordHash: passwordHash ?? undefined,
  isDisabled: disabled !== 0,
  hasAllCollections: allCollections !== 0,
})

/** In order of their names. */
export const listUserRows = (database: Database): UserRow[] =>
  database.prepare<[], Stored>(`${selectSql} ORDER BY name_key`).all().map(rowOf)

export function findUserRow(database: Database, userId: string): UserRow | undefined {
  const found = database.prepare<[string], Stored>(`${selectSql} WHERE user_id = ?`).get(userId)
  return found === undefined ? undefined : rowOf(found)
}

export function findUserNamed(database: Database, nameKey: string): UserRow | undefined {
  const found = database.prepare<[string], Stored>(`${selectSql} WHERE name_key = ?`).get(nameKey)
  return found === undefined ? undefined : rowOf(found)
}

export function insertUser(database: Database, user: UserRow): void {
  database
    .prepare(
      `INSERT INTO users (user_id, name, name_key, roles, password_hash, disabled, all_collections, created_at_ms)
       VALUES (@userId, @name, @nameKey, @roles, @passwordHash, @disabled, @allCollections, @createdAtMs)`,
    )
    .run(storedOf(user))
}

export function updateUser(database: Database, user: UserRow): void {
  database
    .prepare(
      `UPDATE users SET name = @name, name_key = @nameKey, roles = @roles, password_hash = @passwordHash,
       disabled = @disabled, all_collections = @allCollections WHERE user_id = @userId`,
    )
    .run(storedOf(user))
}

const storedOf = ({ userId, name, nameKey, createdAtMs, ...user }: UserRow): Stored => ({
  ...{ userId, name, nameKey, createdAtMs },
  roles: JSON.stringify(user.roles),
  passwordHash: user.passwordHash ?? null,
  disabled: Number(user.isDisabled),
  allCollections: Number(user.hasAllCollections),
})

/** Deletes a user with all sessions, keys and grants. */
export function deleteUserRow(database: Database, userId: string): void {
  database.prepare('DELETE FROM users WHERE user_id = ?').run(userId)
}
