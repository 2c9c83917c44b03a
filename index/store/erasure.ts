import { randomUUID } from 'node:crypto'
import { checkedColumns } from './checksum.js'
import type { Database } from './sqlite.js'
import { readMeta, writeMeta } from './meta.js'

/** Stands in an archive from the transaction that erases until no file of the archive holds what was erased. */
const pendingKey = 'erasure.pending'

/** Which erasure was the last that is not finished. */
export type ErasureToken = string

/** SQLite waits as long for readers, and this thread with it. */
const readersWithinMs = 100

/** To be called within the transaction that erases, so that whoever opens the archive next after a crash knows of it. */
export function noteErasure(database: Database): void {
  writeMeta(database, pendingKey, randomUUID())
}

export function pendingErasure(database: Database): ErasureToken | undefined {
  return readMeta(database, pendingKey)
}

/** Nothing where another erasure came after it: that one is still to be finished. */
export function endErasure(database: Database, token: ErasureToken): void {
  database.prepare('DELETE FROM meta WHERE key = ? AND value = ?').run(pendingKey, token)
}

/**
 * Erased rows are zeroed in the file's pages (secure_delete), but the write-ahead log has the pages as they were, and the file,
 * too, until the log is copied into it. This does so and empties the log. False where another connection reads: SQLite keeps
 * for it what it sees.
 */
export function emptyLog(database: Database): boolean {
  const usualMs = Number(database.pragma('busy_timeout', { simple: true }))
  database.pragma(`busy_timeout = ${readersWithinMs}`)
  try {
    // That it was busy is told in a row, not by an error.
    return database.prepare<[], number>('PRAGMA wal_checkpoint(TRUNCATE)').pluck().get() === 0
  } finally {
    database.pragma(`busy_timeout = ${usualMs}`)
  }
}

/** What of clips is kept for a while only: their rows come and go in the order of random keys. */
const transientTables = ['pending_parts', 'checkpoints'] as const

/**
 * Erases what is kept of a clip for a while, and writes what is kept of others anew. A page that SQLite fills from its neighbours
 * keeps copies of rows that lay there, which deleting the rows does not reach, whenever that was; the pages of an emptied table are
 * zeroed whole. To be called within the transaction that erases. (In the other tables no such copy was found after thousands of
 * erasures.)
 */
export function eraseTransient(database: Database, clipId: string): void {
  for (const table of transientTables) {
    database.prepare(`CREATE TEMP TABLE kept AS SELECT * FROM ${table} WHERE clip_id <> ?`).run(clipId)
    const columns = checkedColumns[table].join(', ')
    database.exec(
      `DELETE FROM ${table}; INSERT INTO ${table} (${columns}) SELECT ${columns} FROM kept; DROP TABLE kept`,
    )
  }
}
