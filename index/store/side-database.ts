import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { CameoError } from '../../pipeline/common/errors.js'
import { createPrivateFile, makePrivateFolder } from '../../pipeline/common/private-files.js'
import { databaseFileName, translateSqliteErrors } from './database.js'
import { finishRestore } from './restore-files.js'
import { BetterSqlite, type Database } from './sqlite.js'
import { inTransaction } from './transaction.js'

/** An SQLite file beside that of the archive, with tables of its own. */
export interface SideDatabase {
  /** Name of the file in the archive's folder. */
  readonly fileName: string
  /** `PRAGMA user_version` of a file with these tables. */
  readonly version: number
  /** Creates the tables in an empty file. */
  readonly tablesSql: string
}

export interface SideOptions {
  /** Make the folder of the archive if there is none. Default: false. */
  readonly create?: boolean
}

/**
 * Opens such a file, and creates it if it does not exist yet. Several processes may write it at once, whoever holds the
 * archive's lock: each write is one short transaction. Only the owner of the archive can read the file.
 * @throws ARCHIVE_MISSING if there is no archive and `create` is not set; ARCHIVE_NEWER; ARCHIVE_READ_ONLY, ARCHIVE_FULL,
 * ARCHIVE_BUSY or ARCHIVE_DAMAGED
 */
export function openSideDatabase(
  archiveDir: string,
  side: SideDatabase,
  options: SideOptions = {},
): Database {
  const file = join(archiveDir, side.fileName)
  return translateSqliteErrors(archiveDir, () => {
    finishRestore(archiveDir)
    if (!existsSync(file)) {
      checkArchive(archiveDir, options)
      makePrivateFolder(archiveDir)
      // SQLite gives its log files the permissions of this file.
      createPrivateFile(file)
    }
    const database = new BetterSqlite(file, { timeout: 10_000 })
    try {
      configure(database)
      makeTables(database, file, side)
      return database
    } catch (error) {
      database.close()
      throw damaged(file, error) ?? error
    }
  })
}

/** Only a backup helps: unlike the archive's own file, it cannot be made again from the clips. */
function damaged(file: string, error: unknown): CameoError | undefined {
  if (!(error instanceof BetterSqlite.SqliteError)) return undefined
  if (error.code !== 'SQLITE_NOTADB' && !error.code.startsWith('SQLITE_CORRUPT')) return undefined
  return new CameoError(
    'ARCHIVE_DAMAGED',
    `the file ${file} is damaged or not an SQLite file (${error.message}): restore it from a backup`,
    { cause: error },
  )
}

function checkArchive(archiveDir: string, { create = false }: SideOptions): void {
  if (create || existsSync(join(archiveDir, databaseFileName))) return
  throw new CameoError('ARCHIVE_MISSING', `there is no archive in ${archiveDir}; ingest some clips first`, {
    details: { remedy: 'ingest-first', archive: archiveDir },
  })
}

function configure(database: Database): void {
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = FULL')
  database.pragma('secure_delete = ON')
  database.pragma('temp_store = MEMORY')
  database.pragma('foreign_keys = ON')
}

const versionOf = (database: Database) => Number(database.pragma('user_version', { simple: true }))

function makeTables(database: Database, file: string, { version, tablesSql }: SideDatabase): void {
  if (versionOf(database) === 0)
    inTransaction(database, () => {
      // Another process may have made the tables while this one waited.
      if (versionOf(database) !== 0) return
      database.exec(tablesSql)
      database.pragma(`user_version = ${version}`)
    })
  const found = versionOf(database)
  if (found > version)
    throw new CameoError(
      'ARCHIVE_NEWER',
      `the file ${file} was written by a newer version of Cameo (schema ${found}; this version reads up to ${version}): update Cameo`,
    )
}
