import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { CameoError, messageOf } from '../../pipeline/common/errors.js'
import { createPrivateFile, makePrivateFolder } from '../../pipeline/common/private-files.js'
import { addChecksumFunction } from './checksum.js'
import { checkSchema, initialise, type Upgrade } from './initialise.js'
import { closeArchiveToOthers } from './privacy.js'
import { finishRestore } from './restore-files.js'
import { schemaVersion } from './schema.js'
import { BetterSqlite, type Database } from './sqlite.js'

export interface OpenOptions {
  /** Create the folder and an empty archive if there is none. */
  readonly create?: boolean
  /** Open the archive without writing. Also works in a folder that this user cannot write. */
  readonly readOnly?: boolean
  /** Called once if other users could read the archive, or if an older archive was upgraded. */
  readonly onNotice?: (message: string) => void
}

export const databaseFileName = 'cameo.sqlite'

/**
 * Opens the SQLite file of an archive in WAL mode. Each commit is flushed to disk, and deleted rows are overwritten
 * with zeros. Removes other users' access to the archive.
 * @throws ARCHIVE_MISSING, ARCHIVE_NEWER, ARCHIVE_READ_ONLY, ARCHIVE_FULL or ARCHIVE_DAMAGED
 */
export function openDatabase(archiveDir: string, options: OpenOptions = {}): Database {
  const file = join(archiveDir, databaseFileName)
  translateSqliteErrors(archiveDir, () => finishRestore(archiveDir))
  if (!existsSync(file)) {
    if (options.create !== true)
      throw new CameoError(
        'ARCHIVE_MISSING',
        `there is no archive in ${archiveDir}; ingest some clips first`,
        { details: { remedy: 'ingest-first', archive: archiveDir } },
      )
    makeFolder(archiveDir)
  } else closeArchiveToOthers(archiveDir, options.onNotice ?? (() => undefined))
  return translateSqliteErrors(archiveDir, () => {
    const database =
      options.readOnly === true ? openToRead(archiveDir, file) : new BetterSqlite(file, waiting)
    try {
      const version = database.pragma('user_version', { simple: true })
      if (typeof version === 'number' && version > schemaVersion)
        throw new CameoError(
          'ARCHIVE_NEWER',
          `the archive ${archiveDir} was written by a newer version of Cameo (schema ${version}; this version reads up to ${schemaVersion}): update Cameo`,
        )
      configure(database, options)
      addChecksumFunction(database)
      if (version === schemaVersion) {
        checkSchema(database, archiveDir)
        return database
      }
      if (options.readOnly === true)
        throw new CameoError(
          'ARCHIVE_READ_ONLY',
          `the archive ${archiveDir} was written by an older version of Cameo (schema ${String(version)}) and cannot be upgraded because it is not writable; open it once as a user who can write to it`,
          { details: { remedy: 'upgrade-archive', archive: archiveDir } },
        )
      const upgrade = initialise(database, archiveDir)
      if (upgrade !== undefined) options.onNotice?.(upgradeText(archiveDir, upgrade))
      return database
    } catch (error) {
      database.close()
      throw error
    }
  })
}

const upgradeText = (archiveDir: string, { unverified }: Upgrade) =>
  `the archive ${archiveDir} was upgraded (schema ${schemaVersion})` +
  (unverified === 0
    ? ': an older Cameo can no longer open it'
    : `: its ${unverified} rows now have checksums. Damage from before the upgrade cannot be detected`)

const waiting = { timeout: 10_000 }

/** SQLite cannot allocate more than 2 GiB at a time. */
const mostInMemoryBytes = 2e9

/**
 * Opens the file read-only. Readers need a shared index of SQLite's log, in a file that they cannot create in a
 * read-only folder. If there is no log, no process has the archive open, so its file is read into memory instead.
 * (SQLite could open an immutable file without a copy, but better-sqlite3 does not accept URIs.)
 */
function openToRead(archiveDir: string, file: string): Database {
  const database = new BetterSqlite(file, { ...waiting, readonly: true })
  try {
    database.pragma('user_version')
    return database
  } catch (error) {
    database.close()
    const isClosedFolder =
      error instanceof BetterSqlite.SqliteError &&
      (error.code === 'SQLITE_READONLY_DIRECTORY' || error.code === 'SQLITE_CANTOPEN')
    // Data in a log is not in the file yet, so the file alone may be inconsistent.
    if (!isClosedFolder || existsSync(logOf(file))) throw error
    return new BetterSqlite(readWhole(archiveDir, file), { readonly: true })
  }
}

const logOf = (file: string) => `${file}-wal`

function readWhole(archiveDir: string, file: string): Buffer {
  const before = statSync(file, { bigint: true })
  if (before.size > mostInMemoryBytes)
    throw new CameoError(
      'ARCHIVE_READ_ONLY',
      `the archive ${archiveDir} is not writable, and it is too large to be read into memory (${(Number(before.size) / 1e9).toFixed(1)} GB): make the folder writable for this user, or use a copy`,
    )
  const bytes = readFileSync(file)
  const after = statSync(file, { bigint: true })
  if (existsSync(logOf(file)) || after.mtimeNs !== before.mtimeNs || after.size !== before.size)
    throw new CameoError(
      'ARCHIVE_BUSY',
      `another process wrote to the archive ${archiveDir} while it was being read: try again`,
    )
  // These bytes say that there is no log (SQLite file format, 1.3.2), because memory has none.
  return bytes.fill(1, 18, 20)
}

function configure(database: Database, options: OpenOptions): void {
  if (options.readOnly !== true) {
    // Must be set before the first table is created. A page of 4096 bytes holds only one vector of 2 KB, and half of
    // it is wasted.
    database.pragma('page_size = 8192')
    database.pragma('journal_mode = WAL')
    // Work that was reported as done survives a power failure, not only a killed process.
    database.pragma('synchronous = FULL')
    // Erased faces are overwritten, not only unlinked.
    database.pragma('secure_delete = ON')
  }
  // SQLite's temporary files would store rows outside the archive's folder.
  database.pragma('temp_store = MEMORY')
  database.pragma('foreign_keys = ON')
  database.pragma('cache_size = -65536')
}

export interface FileLock {
  release(): void
}

/**
 * Takes an SQLite lock on a separate file. The operating system releases it when the process is killed.
 * @throws ARCHIVE_BUSY
 */
export function lockFile(archiveDir: string, name: string): FileLock {
  return translateSqliteErrors(archiveDir, () => {
    createPrivateFile(join(archiveDir, name))
    // Long enough for a process that only checks the lock.
    const lock = new BetterSqlite(join(archiveDir, name), { timeout: 50 })
    try {
      lock.exec('BEGIN EXCLUSIVE')
    } catch (cause) {
      lock.close()
      throw new CameoError(
        'ARCHIVE_BUSY',
        `another process is writing to the archive ${archiveDir}: wait until it is done, or stop it, and run this again`,
        { cause },
      )
    }
    return { release: () => lock.close() }
  })
}

/** Checks as a reader. If it took the lock to check, other checkers would see the lock as held. */
export function isLocked(archiveDir: string, name: string): boolean {
  if (!existsSync(join(archiveDir, name))) return false
  return translateSqliteErrors(archiveDir, () => {
    const lock = new BetterSqlite(join(archiveDir, name), { timeout: 0 })
    try {
      lock.prepare('SELECT 1 FROM sqlite_master').get()
      return false
    } catch (error) {
      if (error instanceof BetterSqlite.SqliteError && error.code.startsWith('SQLITE_BUSY')) return true
      throw error
    } finally {
      lock.close()
    }
  })
}

function makeFolder(archiveDir: string): void {
  try {
    makePrivateFolder(archiveDir)
    accessSync(archiveDir, constants.W_OK)
    // SQLite gives its log files the permissions of this file.
    createPrivateFile(join(archiveDir, databaseFileName))
  } catch (error) {
    throw archiveError(archiveDir, error) ?? error
  }
}

/** Runs `work`. Converts errors of SQLite and the file system about the archive to CameoErrors that say what to do. */
export function translateSqliteErrors<T>(archiveDir: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw archiveError(archiveDir, error) ?? error
  }
}

/** True for an SQLite error, for example an unreadable page or a full disk. */
export const isSqliteError = (error: unknown): error is Error => error instanceof BetterSqlite.SqliteError

/** The CameoError for an SQLite error. Undefined for any other error. */
export function sqliteError(archiveDir: string, error: unknown): CameoError | undefined {
  return error instanceof BetterSqlite.SqliteError ? archiveError(archiveDir, error) : undefined
}

/** The CameoError for an error of SQLite or the file system about the archive. Undefined for any other error. */
export function archiveError(archiveDir: string, error: unknown): CameoError | undefined {
  if (error instanceof CameoError || !(error instanceof Error)) return undefined
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const options = { cause: error }
  const detail = messageOf(error)
  if (code === 'SQLITE_FULL' || code === 'ENOSPC' || code === 'EDQUOT' || code === 'SQLITE_IOERR_WRITE')
    return new CameoError('ARCHIVE_FULL', `the disk of the archive ${archiveDir} is full (${detail})`, {
      ...options,
      details: { remedy: 'free-space', archive: archiveDir },
    })
  if (code.startsWith('SQLITE_READONLY') || code === 'EACCES' || code === 'EROFS' || code === 'EPERM')
    return new CameoError(
      'ARCHIVE_READ_ONLY',
      `the archive ${archiveDir} cannot be written (${detail}): check the permissions of the folder and of the disk it is on`,
      options,
    )
  if (code === 'SQLITE_CANTOPEN' || code === 'ENOTDIR' || code === 'EEXIST')
    return new CameoError(
      'ARCHIVE_READ_ONLY',
      `the archive ${archiveDir} cannot be opened (${detail}): check that it is a folder and can be written`,
      options,
    )
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED'))
    return new CameoError(
      'ARCHIVE_BUSY',
      `the archive ${archiveDir} is being written by another process (${detail}): try again when it is done`,
      options,
    )
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB')
    return new CameoError(
      'ARCHIVE_DAMAGED',
      `the file ${join(archiveDir, databaseFileName)} is damaged or not an SQLite file (${detail}); repair the archive, restore it from a backup, or ingest into a new one`,
      { ...options, details: { remedy: 'repair-archive', archive: archiveDir } },
    )
  if (code.startsWith('SQLITE_IOERR'))
    return new CameoError(
      'ARCHIVE_FULL',
      `the disk of ${dirname(join(archiveDir, databaseFileName))} failed (${code}: ${detail}): check its space and health`,
      options,
    )
  return undefined
}
