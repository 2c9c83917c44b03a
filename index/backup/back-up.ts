import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { create } from 'tar'
import { CameoError, messageOf } from '../../pipeline/common/errors.js'
import { sha256OfFile } from '../../pipeline/common/digest.js'
import { makePrivateFolder, privateFileMode, writePrivateFile } from '../../pipeline/common/private-files.js'
import { openArchiveToRead } from '../archive/open-archive.js'
import { keysFolderName, readSigningKeys } from '../audit/archive-keys.js'
import type { AuditActor } from '../audit/audit-entry.js'
import { AuditLog } from '../audit/audit-log.js'
import { auditHeadFileName } from '../audit/head-file.js'
import { systemActor } from '../audit/system-actor.js'
import { copyDatabase } from '../store/copy-database.js'
import { readArchiveId } from '../store/meta.js'
import { archiveDatabases } from '../store/restore-files.js'
import { describeFiles, isBackupFile, manifestName, type Manifest } from './manifest.js'

export interface BackupRequest {
  readonly archiveDir: string
  /** File to write. */
  readonly file: string
  /** Replace a file that is there. Default: false. */
  readonly overwrite?: boolean
  /** Who makes it. Default: the user of this process. */
  readonly actor?: AuditActor | undefined
}

export interface BackupReport {
  readonly file: string
  readonly bytes: number
  /** Of the file, hex. */
  readonly sha256: string
  /** When it was begun, ISO 8601, UTC. */
  readonly at: string
  readonly files: Manifest['files']
}

/**
 * Writes one file with the databases and keys of an archive, which may be in use. The file holds faces, names and the keys of
 * the audit log. It gets its name when it is complete.
 * @throws USAGE if the file is there; ARCHIVE_MISSING, AUDIT_KEY_MISSING, BACKUP_NOT_WRITTEN
 */
export async function backUp(
  request: BackupRequest,
  notify: (notice: string) => void,
): Promise<BackupReport> {
  const { archiveDir, overwrite = false, actor = systemActor() } = request
  const file = resolve(request.file)
  if (!overwrite && existsSync(file)) throw new CameoError('USAGE', `the file ${file} is there already`)
  const archiveId = idOf(archiveDir, notify)
  const log = AuditLog.open(archiveDir)
  try {
    readSigningKeys(archiveDir)
    const staged = `${file}.parts`
    const temporary = `${file}.new`
    try {
      const at = new Date(log.now()).toISOString()
      const files = await copyInto(staged, archiveDir)
      const manifest: Manifest = { kind: 'cameo-backup', version: 1, archiveId, at, files }
      writePrivateFile(join(staged, manifestName), JSON.stringify(manifest))
      rmSync(temporary, { force: true })
      await create({ file: temporary, cwd: staged, portable: true, mode: privateFileMode }, [
        manifestName,
        ...files.map(({ path }) => path),
      ])
      flush(temporary)
      const sha256 = await sha256OfFile(temporary)
      renameSync(temporary, file)
      flush(dirname(file))
      const bytes = statSync(file).size
      await log.append({ actor, action: 'backup', outcome: 'done', details: { at, bytes, sha256 } })
      return { file, bytes, sha256, at, files }
    } finally {
      rmSync(staged, { recursive: true, force: true })
      rmSync(temporary, { force: true })
    }
  } catch (cause) {
    if (cause instanceof CameoError) throw cause
    throw new CameoError('BACKUP_NOT_WRITTEN', `the backup ${file} was not written: ${messageOf(cause)}`, {
      cause,
    })
  } finally {
    log.close()
  }
}

function idOf(archiveDir: string, notify: (notice: string) => void): string {
  const archive = openArchiveToRead(archiveDir, notify)
  try {
    return readArchiveId(archive.database)
  } finally {
    archive.close()
  }
}

async function copyInto(staged: string, archiveDir: string): Promise<Manifest['files']> {
  // Of a backup that was killed.
  rmSync(staged, { recursive: true, force: true })
  makePrivateFolder(staged)
  // The noted end of the log before the log itself: the copy of the log then has that row.
  if (existsSync(join(archiveDir, auditHeadFileName)))
    copyFileSync(join(archiveDir, auditHeadFileName), join(staged, auditHeadFileName))
  for (const name of archiveDatabases)
    if (existsSync(join(archiveDir, name))) await copyDatabase(join(archiveDir, name), join(staged, name))
  mkdirSync(join(staged, keysFolderName), { mode: 0o700 })
  for (const name of readdirSync(join(archiveDir, keysFolderName)))
    if (isBackupFile(`${keysFolderName}/${name}`))
      copyFileSync(join(archiveDir, keysFolderName, name), join(staged, keysFolderName, name))
  return describeFiles(staged)
}

function flush(path: string): void {
  const handle = openSync(path, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
