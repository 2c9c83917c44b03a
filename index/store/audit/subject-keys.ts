import { emptyLog } from '../erasure.js'
import type { Database, Statement } from '../sqlite.js'

/** The key of a person, clip, group or photo. */
export interface SubjectKey {
  readonly subjectId: number
  /** 32 bytes. */
  readonly key: Buffer
}

/** The keys with which the log's sealed parts are encrypted. */
export class SubjectKeys {
  readonly #database: Database
  readonly #find: Statement<[Buffer], SubjectKey>
  readonly #keyOf: Statement<[number], Buffer>
  readonly #insert: Statement<[Buffer, Buffer], unknown>
  readonly #destroy: Statement<[number], unknown>

  constructor(database: Database) {
    this.#database = database
    this.#find = database.prepare(
      'SELECT subject_id AS subjectId, key FROM subject_keys WHERE label_hmac = ? AND destroyed = 0',
    )
    this.#keyOf = database
      .prepare<[number], Buffer>('SELECT key FROM subject_keys WHERE subject_id = ? AND destroyed = 0')
      .pluck()
    this.#insert = database.prepare('INSERT INTO subject_keys (label_hmac, key) VALUES (?, ?)')
    // The new values are as long as the old ones, so SQLite overwrites the row in its place.
    this.#destroy = database.prepare(
      'UPDATE subject_keys SET label_hmac = randomblob(32), key = zeroblob(32), destroyed = 1 WHERE subject_id = ?',
    )
  }

  find(labelHmac: Buffer): SubjectKey | undefined {
    return this.#find.get(labelHmac)
  }

  /** Undefined if the key was destroyed. */
  keyOf(subjectId: number): Buffer | undefined {
    return this.#keyOf.get(subjectId)
  }

  /** All keys that were not destroyed, by the HMAC of their label, hex. */
  all(): Map<string, SubjectKey> {
    const rows = this.#database
      .prepare<[], SubjectKey & { labelHmac: Buffer }>(
        'SELECT subject_id AS subjectId, key, label_hmac AS labelHmac FROM subject_keys WHERE destroyed = 0',
      )
      .all()
    return new Map(rows.map(({ labelHmac, ...key }) => [labelHmac.toString('hex'), key]))
  }

  add(labelHmac: Buffer, key: Buffer): SubjectKey {
    return { subjectId: Number(this.#insert.run(labelHmac, key).lastInsertRowid), key }
  }

  /** Overwrites a key. Its bytes are in SQLite's log until `emptyAuditLogFile` says true. */
  destroy(subjectId: number): void {
    this.#destroy.run(subjectId)
  }

  /** Changes when another connection has written: keys that are kept in memory may be destroyed by then. */
  dataVersion(): number {
    return Number(this.#database.pragma('data_version', { simple: true }))
  }
}

/** Empties SQLite's log of the file. False if another connection is reading. */
export const emptyAuditLogFile = (database: Database): boolean => emptyLog(database)
