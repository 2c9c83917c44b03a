import { existsSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { CameoError, messageOf } from '../../pipeline/common/errors.js'
import { makePrivateFolder } from '../../pipeline/common/private-files.js'
import type { Caller } from '../../pipeline/stages/caller.js'
import { eraseKeptAnswersOf } from '../access/kept-answers.js'
import { openArchive } from '../archive/open-archive.js'
import { readSigningKeys } from '../audit/archive-keys.js'
import type { AuditActor } from '../audit/audit-entry.js'
import { AuditLog } from '../audit/audit-log.js'
import { systemActor } from '../audit/system-actor.js'
import type { Receipt } from '../erasure/receipt.js'
import { isArchiveOpen } from '../store/copy-database.js'
import { archiveError, databaseFileName } from '../store/database.js'
import { lockArchive } from '../store/locks.js'
import { commitRestore, finishRestore, restoreFolderName } from '../store/restore-files.js'
import { eraseAgain, type ErasedAgain } from './erase-again.js'
import { readErasureList, readReplaced, type ReplacedArchive } from './known-erasures.js'
import { describeFiles, type Manifest } from './manifest.js'
import { unpackBackup } from './unpack.js'

export interface RestoreRequest {
  /** The backup. */
  readonly file: string
  readonly archiveDir: string
  /** Replace the archive that is there. Default: false. */
  readonly replace?: boolean
  /** A list of receipts that was kept outside of the archive. */
  readonly erasuresFile?: string | undefined
  /** Restore although nothing tells what was erased since the backup. Default: false. */
  readonly withoutErasureList?: boolean
  /** Who restores. Default: the user of this process. */
  readonly actor?: AuditActor | undefined
}

export interface RestoreReport {
  /** When the backup was begun, ISO 8601, UTC. */
  readonly backupAt: string
  /** How many receipts of erasures since then were known; undefined if nobody could know. */
  readonly receipts: number | undefined
  readonly erasedAgain: ErasedAgain
}

/**
 * Makes an archive from a backup. What was erased since the backup is erased again before the archive can be seen: it is known
 * from the archive that is replaced and from a list of receipts. If the process dies, the archive is as it was before.
 * @throws ARCHIVE_EXISTS, ARCHIVE_BUSY, BACKUP_INVALID, RECEIPT_INVALID; ERASURES_UNKNOWN if nothing tells what was erased
 */
export async function restore(request: RestoreRequest, caller: Caller): Promise<RestoreReport> {
  const { archiveDir, replace = false } = request
  const staged = join(archiveDir, restoreFolderName)
  makePrivateFolder(archiveDir)
  finishRestore(archiveDir)
  const exists = existsSync(join(archiveDir, databaseFileName))
  if (exists && !replace)
    throw new CameoError(
      'ARCHIVE_EXISTS',
      `there is an archive in ${archiveDir}, and it was not asked to replace it`,
    )
  const lock = lockArchive(archiveDir)
  let isDecided = false
  try {
    const manifest = await unpackBackup(resolve(request.file), staged)
    const replaced = exists ? readReplaced(archiveDir, manifest.archiveId, caller.notify) : undefined
    const receipts = receiptsSince(request, manifest, staged, replaced)
    const erasedAgain = await prepare(request, { staged, manifest, replaced, receipts }, caller)
    if (isArchiveOpen(archiveDir))
      throw new CameoError(
        'ARCHIVE_BUSY',
        `another process has the archive ${archiveDir} open: stop it, and restore again`,
      )
    const files = (await describeFiles(staged)).map(({ path }) => path)
    isDecided = true
    commitRestore(archiveDir, files)
    return { backupAt: manifest.at, receipts: receipts?.length, erasedAgain }
  } catch (error) {
    throw archiveError(archiveDir, error) ?? error
  } finally {
    // From then on the next opening of the archive needs what is left in it.
    if (!isDecided) rmSync(staged, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
    lock.release()
  }
}

/** Undefined if nobody can know what was erased. @throws ERASURES_UNKNOWN, RECEIPT_INVALID */
function receiptsSince(
  { erasuresFile, withoutErasureList = false }: RestoreRequest,
  { archiveId, at }: Manifest,
  staged: string,
  replaced: ReplacedArchive | undefined,
): Receipt[] | undefined {
  const listed =
    erasuresFile === undefined
      ? undefined
      : readErasureList(erasuresFile, archiveId, readSigningKeys(staged).publicKey)
  if (listed === undefined && replaced === undefined) {
    if (withoutErasureList) return undefined
    throw new CameoError(
      'ERASURES_UNKNOWN',
      `nothing tells what was erased since the backup of ${at}: people who were forgotten may come back; give a list of the receipts, or say that there is none`,
    )
  }
  const all = new Map(
    [...(replaced?.receipts ?? []), ...(listed ?? [])].map((each) => [each.receiptId, each]),
  )
  return [...all.values()].filter((receipt) => receipt.at >= at)
}

interface Prepared {
  readonly staged: string
  readonly manifest: Manifest
  readonly replaced: ReplacedArchive | undefined
  readonly receipts: readonly Receipt[] | undefined
}

/** Erases again, and notes the restore in the restored log. */
async function prepare(
  { actor = systemActor() }: RestoreRequest,
  { staged, manifest, replaced, receipts }: Prepared,
  caller: Caller,
): Promise<ErasedAgain> {
  // They may name people who were forgotten since, and requests from before the restore are not repeated.
  eraseKeptAnswersOf(staged, caller.notify)
  const archive = openStaged(staged)
  try {
    const log = AuditLog.open(staged)
    try {
      const erasedAgain = await eraseAgain(archive, log, { receipts: receipts ?? [], replaced }, caller)
      await log.append({
        ...{ actor, action: 'restore', outcome: 'done' },
        details: {
          backupAt: manifest.at,
          receipts: receipts?.length ?? null,
          ...erasedAgain,
          ...(replaced === undefined
            ? {}
            : { replacedRows: replaced.auditRows, replacedHash: replaced.auditHash }),
        },
      })
      return erasedAgain
    } finally {
      log.close()
    }
  } finally {
    archive.close()
  }
}

function openStaged(staged: string) {
  try {
    return openArchive(staged)
  } catch (cause) {
    throw new CameoError(
      'BACKUP_INVALID',
      `the archive of the backup cannot be opened: ${messageOf(cause)}`,
      {
        cause,
      },
    )
  }
}
