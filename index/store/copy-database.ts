import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createPrivateFile } from '../../pipeline/common/private-files.js'
import { isSqliteError } from './database.js'
import { archiveDatabases } from './restore-files.js'
import { BetterSqlite } from './sqlite.js'

/** All pages in one step: a copy that another process writes into would begin again. */
const allPages = 2_000_000_000

/** Copies an SQLite file that is in use, as it is at one moment. The copy is one file. */
export async function copyDatabase(file: string, to: string): Promise<void> {
  createPrivateFile(to)
  const database = new BetterSqlite(file, { readonly: true, timeout: 10_000 })
  try {
    await database.backup(to, { progress: () => allPages })
  } finally {
    database.close()
  }
}

/** True if another connection has a database of the archive open. Nobody else may open one meanwhile. */
export const isArchiveOpen = (archiveDir: string): boolean =>
  archiveDatabases.some((name) => existsSync(join(archiveDir, name)) && isOpen(join(archiveDir, name)))

/** SQLite leaves WAL mode only for the last connection. The next one that writes enters it again. */
function isOpen(file: string): boolean {
  try {
    const database = new BetterSqlite(file, { timeout: 500 })
    try {
      return database.pragma('journal_mode = DELETE', { simple: true }) !== 'delete'
    } finally {
      database.close()
    }
  } catch (error) {
    if (isSqliteError(error) && 'code' in error && String(error.code).startsWith('SQLITE_BUSY')) return true
    // A damaged file is to be replaced.
    if (isSqliteError(error)) return false
    throw error
  }
}
