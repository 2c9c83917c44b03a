import { createInbox } from './inbox.js'
import type { Database } from './sqlite.js'

/** Takes out of an archive what came by messages, and where it read on. To be called within a transaction. */
export function deleteReceived(database: Database): void {
  createInbox(database).forgetPositions()
  database.prepare('DELETE FROM clips').run()
  database.prepare('DELETE FROM paths').run()
}
