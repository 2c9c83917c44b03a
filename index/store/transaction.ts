import type { Database } from './sqlite.js'

/**
 * Runs `work` as one transaction and returns its result. Takes the write lock at the beginning, so that data read by
 * `work` is still valid when it writes. If `work` throws, its writes are rolled back. Within another transaction, it
 * becomes a part of that transaction that can be rolled back separately.
 */
export const inTransaction = <Result>(database: Database, work: () => Result): Result =>
  database.transaction(work).immediate()

/** Runs `work`, which only reads. All that it reads is of the same moment, whatever others write meanwhile. */
export const readConsistently = <Result>(database: Database, work: () => Result): Result =>
  database.transaction(work).deferred()
