import type { Database } from './sqlite.js'

/**
 * Runs `work` as one transaction and returns what it returns. The lock for writing is taken at the beginning, so that what `work`
 * reads is still true when it writes. What it throws takes back what it wrote. Within another transaction it is a part of that
 * one, and can be taken back alone.
 */
export const inTransaction = <Result>(database: Database, work: () => Result): Result =>
  database.transaction(work).immediate()
