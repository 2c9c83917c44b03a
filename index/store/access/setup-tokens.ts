import type { Database } from '../sqlite.js'

/** Replaces the token that makes the first administrator. An older link no longer works. */
export function replaceSetupToken(database: Database, tokenHash: string, expiresAtMs: number): void {
  deleteSetupTokens(database)
  database
    .prepare('INSERT INTO setup_tokens (token_hash, expires_at_ms) VALUES (?, ?)')
    .run(tokenHash, expiresAtMs)
}

/** When a token expires, ms since 1970. Undefined if there is no such token. */
export const setupTokenExpiry = (database: Database, tokenHash: string): number | undefined =>
  database
    .prepare<[string], number>('SELECT expires_at_ms FROM setup_tokens WHERE token_hash = ?')
    .pluck()
    .get(tokenHash)

export function deleteSetupTokens(database: Database): void {
  database.prepare('DELETE FROM setup_tokens').run()
}
