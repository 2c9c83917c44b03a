import type { Database } from '../sqlite.js'

/** Failed sign-ins in a row. */
export interface Failures {
  readonly failures: number
  /** Of the last one, ms since 1970. */
  readonly failedAtMs: number
}

export const failuresOf = (database: Database, subject: string): Failures | undefined =>
  database
    .prepare<[string], Failures>(
      'SELECT failures, failed_at_ms AS failedAtMs FROM sign_in_failures WHERE subject = ?',
    )
    .get(subject)

export function addFailure(database: Database, subject: string, atMs: number): void {
  database
    .prepare(
      `INSERT INTO sign_in_failures (subject, failures, failed_at_ms) VALUES (?, 1, ?)
       ON CONFLICT (subject) DO UPDATE SET failures = failures + 1, failed_at_ms = excluded.failed_at_ms`,
    )
    .run(subject, atMs)
}

/** Takes back what was counted: the sign-in succeeded. */
export function removeFailure(database: Database, subject: string): void {
  database
    .prepare('UPDATE sign_in_failures SET failures = failures - 1 WHERE subject = ? AND failures > 0')
    .run(subject)
}

export function deleteFailures(database: Database, subject: string): void {
  database.prepare('DELETE FROM sign_in_failures WHERE subject = ?').run(subject)
}

export function deleteOldFailures(database: Database, beforeMs: number): void {
  database.prepare('DELETE FROM sign_in_failures WHERE failed_at_ms < ?').run(beforeMs)
}

export const isKnownAddress = (database: Database, userId: string, address: string): boolean =>
  database
    .prepare<[string, string], number>('SELECT 1 FROM known_addresses WHERE user_id = ? AND address = ?')
    .pluck()
    .get(userId, address) !== undefined

export function noteKnownAddress(database: Database, userId: string, address: string, atMs: number): void {
  database
    .prepare(
      `INSERT INTO known_addresses (user_id, address, used_at_ms) VALUES (?, ?, ?)
       ON CONFLICT (user_id, address) DO UPDATE SET used_at_ms = excluded.used_at_ms`,
    )
    .run(userId, address, atMs)
}

export function deleteOldAddresses(database: Database, beforeMs: number): void {
  database.prepare('DELETE FROM known_addresses WHERE used_at_ms < ?').run(beforeMs)
}
