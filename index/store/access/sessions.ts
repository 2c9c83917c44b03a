import type { Database } from '../sqlite.js'

/** A session as stored. Times are in ms since 1970. */
export interface SessionRow {
  /** SHA-256 of the token, hex. */
  readonly tokenHash: string
  readonly userId: string
  readonly createdAtMs: number
  /** Of the last request; a little older than that, since not every request is noted. */
  readonly usedAtMs: number
}

export function insertSession(database: Database, session: SessionRow): void {
  database
    .prepare('INSERT INTO sessions (token_hash, user_id, created_at_ms, used_at_ms) VALUES (?, ?, ?, ?)')
    .run(session.tokenHash, session.userId, session.createdAtMs, session.usedAtMs)
}

export const findSession = (database: Database, tokenHash: string): SessionRow | undefined =>
  database
    .prepare<[string], SessionRow>(
      `SELECT token_hash AS tokenHash, user_id AS userId, created_at_ms AS createdAtMs, used_at_ms AS usedAtMs
       FROM sessions WHERE token_hash = ?`,
    )
    .get(tokenHash)

export function noteSessionUse(database: Database, tokenHash: string, atMs: number): void {
  database.prepare('UPDATE sessions SET used_at_ms = ? WHERE token_hash = ?').run(atMs, tokenHash)
}

export function deleteSession(database: Database, tokenHash: string): void {
  database.prepare('DELETE FROM sessions WHERE token_hash = ?').run(tokenHash)
}

/** @returns how many there were */
export const deleteSessionsOf = (database: Database, userId: string): number =>
  database.prepare('DELETE FROM sessions WHERE user_id = ?').run(userId).changes

/** Deletes sessions that began, or were last used, before these times. */
export function deleteOldSessions(
  database: Database,
  { createdBeforeMs, usedBeforeMs }: { readonly createdBeforeMs: number; readonly usedBeforeMs: number },
): void {
  database
    .prepare('DELETE FROM sessions WHERE created_at_ms < ? OR used_at_ms < ?')
    .run(createdBeforeMs, usedBeforeMs)
}
