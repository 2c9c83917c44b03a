import { createInbox } from './inbox.js'
import type { Database } from './sqlite.js'

/**
 * Deletes everything that an archive received by messages, and its reading positions. Call this within a transaction.
 */
export function deleteReceived(database: Database): void {
  createInbox(database).forgetPositions()
  database.prepare('DELETE FROM clips').run()
  database.prepare('DELETE FROM paths').run()
}
