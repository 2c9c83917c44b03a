import { randomUUID } from 'node:crypto'
import { checkedColumns } from './checksum.js'
import type { Database } from './sqlite.js'
import { readMeta, writeMeta } from './meta.js'

/** Key in `meta`. Set by an erasure, and removed when no file of the archive contains the erased data. */
const pendingKey = 'erasure.pending'

/** Identifies the last unfinished erasure. */
export type ErasureToken = string

/** How long SQLite, and with it this thread, waits for readers. */
const readersWithinMs = 100

/** Call this within the transaction that erases, so that the next process finds the erasure after a crash. */
export function noteErasure(database: Database): void {
  writeMeta(database, pendingKey, randomUUID())
}

export function pendingErasure(database: Database): ErasureToken | undefined {
  return readMeta(database, pendingKey)
}

/** Marks the erasure as finished. Does nothing if a newer erasure is pending. */
export function endErasure(database: Database, token: ErasureToken): void {
  database.prepare('DELETE FROM meta WHERE key = ? AND value = ?').run(pendingKey, token)
}

/**
 * Copies the write-ahead log into the file and empties it. Erased rows are zeroed in the new pages (secure_delete),
 * but the log and, until the copy, the file still contain the old pages. Returns false if another connection is
 * reading, because SQLite keeps the old pages for it.
 */
export function emptyLog(database: Database): boolean {
  const usualMs = Number(database.pragma('busy_timeout', { simple: true }))
  database.pragma(`busy_timeout = ${readersWithinMs}`)
  try {
    // SQLite reports a busy log in a row, not as an error.
    return database.prepare<[], number>('PRAGMA wal_checkpoint(TRUNCATE)').pluck().get() === 0
  } finally {
    database.pragma(`busy_timeout = ${usualMs}`)
  }
}

/** Tables with temporary data of clips. Their rows are added and deleted in the order of random keys. */
const transientTables = ['pending_parts', 'checkpoints'] as const

/**
 * Erases the temporary data of a clip and rewrites that of the other clips. When SQLite moves rows between pages, old
 * copies can remain in a page, and deleting the rows does not erase these copies. The pages of an emptied table are
 * zeroed completely. Call this within the transaction that erases. (In the other tables, no such copy was found after
 * thousands of erasures.)
 */
export function eraseTransient(
  database: Database,
  clipId: string,
  tables: readonly (typeof transientTables)[number][] = transientTables,
): void {
  for (const table of tables) {
    database.prepare(`CREATE TEMP TABLE kept AS SELECT * FROM ${table} WHERE clip_id <> ?`).run(clipId)
    const columns = checkedColumns[table].join(', ')
    database.exec(
      `DELETE FROM ${table}; INSERT INTO ${table} (${columns}) SELECT ${columns} FROM kept; DROP TABLE kept`,
    )
  }
}
