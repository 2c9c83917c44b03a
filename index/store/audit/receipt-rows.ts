import type { Database } from '../sqlite.js'

/** A proof of an erasure, as it is stored. */
export interface ReceiptRow {
  readonly receiptId: string
  /** ISO 8601, UTC. */
  readonly at: string
  /** The receipt of an unfinished erasure that this one finishes. */
  readonly completes: string | null
  /** 1 if the erasure is not finished. */
  readonly pending: 0 | 1
  /** JSON, as signed. */
  readonly body: string
}

const columns = 'receipt_id AS receiptId, at, completes, pending, body'

/** Reads and adds receipts. */
export class ReceiptRows {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  insert(row: ReceiptRow): void {
    this.#database
      .prepare<[ReceiptRow]>(
        `INSERT INTO receipts (receipt_id, at, completes, pending, body)
         VALUES (@receiptId, @at, @completes, @pending, @body) ON CONFLICT (receipt_id) DO NOTHING`,
      )
      .run(row)
  }

  find(receiptId: string): ReceiptRow | undefined {
    return this.#database
      .prepare<[string], ReceiptRow>(`SELECT ${columns} FROM receipts WHERE receipt_id = ?`)
      .get(receiptId)
  }

  /** The receipt that finishes another one. */
  findCompletion(receiptId: string): ReceiptRow | undefined {
    return this.#database
      .prepare<[string], ReceiptRow>(`SELECT ${columns} FROM receipts WHERE completes = ?`)
      .get(receiptId)
  }

  /** In the order in which they were made. @param since ISO 8601, UTC: those of this time or later */
  all(since = ''): ReceiptRow[] {
    return this.#database
      .prepare<[string], ReceiptRow>(`SELECT ${columns} FROM receipts WHERE at >= ? ORDER BY number`)
      .all(since)
  }

  /** Those of erasures that nobody has finished. */
  unfinished(): ReceiptRow[] {
    return this.#database
      .prepare<[], ReceiptRow>(
        `SELECT ${columns} FROM receipts r WHERE pending = 1
         AND NOT EXISTS (SELECT 1 FROM receipts c WHERE c.completes = r.receipt_id) ORDER BY number`,
      )
      .all()
  }
}
