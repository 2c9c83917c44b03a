import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { CameoError } from '../../../pipeline/common/errors.js'
import { createPrivateFile } from '../../../pipeline/common/private-files.js'
import { translateSqliteErrors } from '../database.js'
import { finishRestore } from '../restore-files.js'
import { BetterSqlite, type Database } from '../sqlite.js'
import { inTransaction } from '../transaction.js'
import { auditSchemaVersion, auditTablesSql, auditTriggersSql } from './audit-schema.js'

export const auditFileName = 'audit.sqlite'

/** Several processes write to the file: each waits for the others. */
const waiting = { timeout: 10_000 }

/** True if the archive has a log file. */
export const hasAuditDatabase = (archiveDir: string): boolean => existsSync(join(archiveDir, auditFileName))

/**
 * Opens audit.sqlite of an archive, and creates it if there is none. Each commit is flushed to disk. What is deleted or
 * replaced is overwritten.
 * @throws ARCHIVE_MISSING if it is only to be read and does not exist, ARCHIVE_NEWER, ARCHIVE_READ_ONLY, ARCHIVE_FULL,
 * ARCHIVE_BUSY, ARCHIVE_DAMAGED
 */
export function openAuditDatabase(
  archiveDir: string,
  { readOnly = false }: { readonly readOnly?: boolean } = {},
): Database {
  const file = join(archiveDir, auditFileName)
  translateSqliteErrors(archiveDir, () => finishRestore(archiveDir))
  if (!existsSync(archiveDir) || (readOnly && !existsSync(file)))
    throw new CameoError('ARCHIVE_MISSING', `there is no audit log in ${archiveDir}`)
  return translateSqliteErrors(archiveDir, () => {
    // SQLite gives its log files the permissions of this file.
    if (!readOnly) createPrivateFile(file)
    const database = new BetterSqlite(file, { ...waiting, readonly: readOnly })
    try {
      configure(database, readOnly)
      prepareTables(database, archiveDir, readOnly)
      return database
    } catch (error) {
      database.close()
      throw error
    }
  })
}

function configure(database: Database, readOnly: boolean): void {
  if (!readOnly) {
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = FULL')
    database.pragma('secure_delete = ON')
  }
  database.pragma('temp_store = MEMORY')
}

function prepareTables(database: Database, archiveDir: string, readOnly: boolean): void {
  const version = Number(database.pragma('user_version', { simple: true }))
  if (version > auditSchemaVersion)
    throw new CameoError(
      'ARCHIVE_NEWER',
      `the audit log of ${archiveDir} was written by a newer version of Cameo (schema ${version}; this version reads up to ${auditSchemaVersion}): update Cameo`,
    )
  if (version === auditSchemaVersion) return
  if (readOnly) throw new CameoError('ARCHIVE_MISSING', `there is no audit log in ${archiveDir}`)
  inTransaction(database, () => {
    // Another process may have done this while we waited for the write lock.
    if (database.pragma('user_version', { simple: true }) === auditSchemaVersion) return
    database.exec(auditTablesSql + auditTriggersSql)
    database.pragma(`user_version = ${auditSchemaVersion}`)
  })
}
