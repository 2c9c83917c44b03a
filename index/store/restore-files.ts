import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { createPrivateFile, privateFileMode } from '../../pipeline/common/private-files.js'
import { BetterSqlite } from './sqlite.js'

/** A restored archive is prepared in this folder of the archive. */
export const restoreFolderName = 'restore.new'
/** While this file is there, the prepared files are moved to their places: before anything else is done with the archive. */
const markerName = 'restore.commit'

/** Databases of an archive. One that a backup does not have is removed. */
export const archiveDatabases = ['cameo.sqlite', 'audit.sqlite', 'access.sqlite'] as const
/** What belongs to the replaced databases only. */
const derived = ['vectors', 'last-answer.json']

const markerSchema = z.object({ files: z.array(z.string()) })

/**
 * Decides that the prepared files replace those of the archive. If the process dies before this returns, the archive is the
 * old one or the restored one, but not a mixture.
 * @param files paths relative to the folder of the archive
 */
export function commitRestore(archiveDir: string, files: readonly string[]): void {
  const temporary = join(archiveDir, `${markerName}.new`)
  rmSync(temporary, { force: true })
  const handle = openSync(temporary, 'wx', privateFileMode)
  try {
    writeSync(handle, JSON.stringify({ files }))
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  renameSync(temporary, join(archiveDir, markerName))
  flushFolder(archiveDir)
  finishRestore(archiveDir)
}

/** Moves restored files to their places if a restore was decided and not finished. */
export function finishRestore(archiveDir: string): void {
  const marker = join(archiveDir, markerName)
  if (!existsSync(marker)) return
  const lockFile = join(archiveDir, 'restore.lock')
  createPrivateFile(lockFile)
  const lock = new BetterSqlite(lockFile, { timeout: 10_000 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
    // Another process may have done it while we waited.
    if (existsSync(marker))
      move(archiveDir, markerSchema.parse(JSON.parse(readFileSync(marker, 'utf8'))).files)
  } finally {
    lock.close()
  }
}

function move(archiveDir: string, files: readonly string[]): void {
  const staged = join(archiveDir, restoreFolderName)
  for (const name of archiveDatabases) {
    for (const log of ['-wal', '-shm', '-journal']) rmSync(join(archiveDir, name + log), { force: true })
    if (!files.includes(name)) rmSync(join(archiveDir, name), { force: true })
  }
  for (const name of derived) rmSync(join(archiveDir, name), { recursive: true, force: true })
  for (const file of files) {
    // One that is not there was moved before the process died.
    if (!existsSync(join(staged, file))) continue
    mkdirSync(dirname(join(archiveDir, file)), { recursive: true, mode: 0o700 })
    renameSync(join(staged, file), join(archiveDir, file))
  }
  flushFolder(archiveDir)
  rmSync(staged, { recursive: true, force: true })
  rmSync(join(archiveDir, markerName))
}

function flushFolder(dir: string): void {
  const handle = openSync(dir, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
