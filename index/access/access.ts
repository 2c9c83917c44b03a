import { openAccessDatabase } from '../store/access/access-database.js'
import type { Database } from '../store/sqlite.js'

/** Who may do what with an archive. */
export interface Access {
  readonly database: Database
  /** The time, ms since 1970. */
  readonly now: () => number
  close(): void
}

export interface AccessOptions {
  /** Make the folder of the archive if there is none. Default: false. */
  readonly create?: boolean
  /** The clock, ms since 1970. Default: that of the machine. */
  readonly now?: () => number
}

/**
 * Opens the users, keys, collections and settings of an archive, and makes them at first. Several processes may do so at
 * once.
 * @throws ARCHIVE_MISSING if there is no archive in the folder and `create` is not set; ARCHIVE_NEWER, ARCHIVE_READ_ONLY,
 * ARCHIVE_FULL, ARCHIVE_BUSY or ARCHIVE_DAMAGED
 */
export function openAccess(
  archiveDir: string,
  { create = false, now = Date.now }: AccessOptions = {},
): Access {
  const database = openAccessDatabase(archiveDir, { create })
  return { database, now, close: () => database.close() }
}
