import type { Database } from '../sqlite.js'

/** Names a write that may be sent again. */
export interface AnswerKey {
  readonly actor: string
  readonly idempotencyKey: string
}

export interface KeptAnswerRow extends AnswerKey {
  /** SHA-256 of the request, hex. */
  readonly requestDigest: string
  /** ms since 1970. */
  readonly startedAtMs: number
  /** null: not answered yet. */
  readonly status: number | null
  readonly body: string | null
}

export const findAnswer = (
  database: Database,
  { actor, idempotencyKey }: AnswerKey,
): KeptAnswerRow | undefined =>
  database
    .prepare<[string, string], KeptAnswerRow>(
      `SELECT actor, idempotency_key AS idempotencyKey, request_digest AS requestDigest, started_at_ms AS startedAtMs,
       status, body FROM kept_answers WHERE actor = ? AND idempotency_key = ?`,
    )
    .get(actor, idempotencyKey)

/** Notes that a write began. */
export function beginAnswer(
  database: Database,
  { actor, idempotencyKey, requestDigest, startedAtMs }: Omit<KeptAnswerRow, 'status' | 'body'>,
): void {
  database
    .prepare(
      `INSERT OR REPLACE INTO kept_answers (actor, idempotency_key, request_digest, started_at_ms) VALUES (?, ?, ?, ?)`,
    )
    .run(actor, idempotencyKey, requestDigest, startedAtMs)
}

export function storeAnswer(
  database: Database,
  { actor, idempotencyKey }: AnswerKey,
  { status, body }: { readonly status: number; readonly body: string },
): void {
  database
    .prepare('UPDATE kept_answers SET status = ?, body = ? WHERE actor = ? AND idempotency_key = ?')
    .run(status, body, actor, idempotencyKey)
}

export function deleteAnswer(database: Database, { actor, idempotencyKey }: AnswerKey): void {
  database
    .prepare('DELETE FROM kept_answers WHERE actor = ? AND idempotency_key = ?')
    .run(actor, idempotencyKey)
}

/** Deletes answers to writes that began before this time, ms since 1970. */
export function deleteAnswersBefore(database: Database, beforeMs: number): void {
  database.prepare('DELETE FROM kept_answers WHERE started_at_ms < ?').run(beforeMs)
}

/** Deletes every finished answer. Those of running writes stay, because they hold no body yet. @returns how many there were */
export function deleteFinishedAnswers(database: Database): number {
  return database.prepare('DELETE FROM kept_answers WHERE status IS NOT NULL').run().changes
}
