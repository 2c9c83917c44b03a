import { join } from 'node:path'

import type { AuditActor, AuditEntry } from '../../index/audit/audit-entry.js'
import { AuditLog } from '../../index/audit/audit-log.js'
import { BetterSqlite } from '../../index/store/sqlite.js'

export const eve: AuditActor = { kind: 'user', id: 'u1', name: 'Eve' }
export const bob: AuditActor = { kind: 'user', id: 'u2', name: 'Bob' }
export const system: AuditActor = { kind: 'system', id: 'root', name: 'root' }

/** A search for a name that found the given clips. */
export const searchEntry = (name: string, clipIds: readonly string[] = []): AuditEntry => ({
  ...{ actor: eve, action: 'search', purpose: 'a documentary', caseReference: 'C-7', outcome: 'done' },
  details: { matches: clipIds.length },
  parts: [
    { subject: { kind: 'name', label: name }, content: { query: name } },
    ...clipIds.map((clipId) => ({
      subject: { kind: 'clip' as const, label: clipId },
      content: { clipId, path: `/films/${clipId}.mp4`, score: 0.7 },
    })),
  ],
})

/** Runs SQL on an audit log, as somebody would who tampers with it: without the triggers. */
export function tamper(archive: string, ...statements: readonly string[]): void {
  const database = new BetterSqlite(join(archive, 'audit.sqlite'))
  try {
    const triggers = database
      .prepare<[], { name: string; sql: string }>(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'",
      )
      .all()
    for (const { name } of triggers) database.exec(`DROP TRIGGER ${name}`)
    for (const statement of statements) database.exec(statement)
    for (const { sql } of triggers) database.exec(sql)
  } finally {
    database.close()
  }
}

/** Opens the log of an archive, and closes it after `work`. */
export async function withLog<Result>(
  archive: string,
  work: (log: AuditLog) => Result | Promise<Result>,
): Promise<Result> {
  const log = AuditLog.open(archive)
  try {
    return await work(log)
  } finally {
    log.close()
  }
}
