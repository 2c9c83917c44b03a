import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { KeyObject } from 'node:crypto'
import { z } from 'zod'
import { CameoError, messageOf } from '../../pipeline/common/errors.js'
import { readJsonFile } from '../../pipeline/common/json-file.js'
import { openArchive } from '../archive/open-archive.js'
import { AuditLog } from '../audit/audit-log.js'
import { emptyHead } from '../audit/chain.js'
import { listReceipts } from '../erasure/list-receipts.js'
import { parseReceipt, verifyReceipt, type Receipt } from '../erasure/receipt.js'
import { hasAuditDatabase } from '../store/audit/audit-database.js'
import type { SubjectKey } from '../store/audit/subject-keys.js'
import { databaseFileName } from '../store/database.js'
import { forgottenClipIds } from '../store/forgotten-clips.js'
import { listIdentities } from '../store/identities.js'
import { readArchiveId } from '../store/meta.js'

/** What the archive that a backup replaces knows. */
export interface ReplacedArchive {
  readonly receipts: readonly Receipt[]
  readonly names: ReadonlySet<string>
  readonly forgottenClips: readonly string[]
  /** Live keys of its audit log. */
  readonly keys: ReadonlyMap<string, SubjectKey>
  /** Where its audit log ends. */
  readonly auditRows: number
  readonly auditHash: string
}

/** Undefined if it cannot be read, or is another archive than that of the backup. */
export function readReplaced(
  archiveDir: string,
  archiveId: string,
  notify: (notice: string) => void,
): ReplacedArchive | undefined {
  if (!existsSync(join(archiveDir, databaseFileName)) || !hasAuditDatabase(archiveDir)) return undefined
  try {
    const archive = openArchive(archiveDir)
    try {
      if (readArchiveId(archive.database) !== archiveId) {
        notify('the archive that is replaced is not the one that the backup was made of')
        return undefined
      }
      const log = AuditLog.open(archiveDir)
      try {
        const head = log.rows.head() ?? emptyHead
        return {
          receipts: listReceipts(log),
          names: new Set(listIdentities(archive.database).map(({ name }) => name)),
          forgottenClips: forgottenClipIds(archive.database),
          keys: log.keys.all(),
          auditRows: head.count,
          auditHash: head.hash.toString('hex'),
        }
      } finally {
        log.close()
      }
    } finally {
      archive.close()
    }
  } catch (error) {
    if (!(error instanceof CameoError)) throw error
    notify(`what was erased in the archive that is replaced cannot be read: ${error.message}`)
    return undefined
  }
}

const listSchema = z.union([
  z.object({ receipts: z.array(z.unknown()) }).transform(({ receipts }) => receipts),
  z.array(z.unknown()),
  z.looseObject({ receiptId: z.string() }).transform((receipt) => [receipt]),
])

/**
 * Reads a list of receipts that was kept outside of an archive. Each must be signed by the archive of the backup.
 * @throws RECEIPT_INVALID
 */
export function readErasureList(file: string, archiveId: string, publicKey: KeyObject): Receipt[] {
  let content: unknown
  try {
    content = readJsonFile(file)
  } catch (cause) {
    throw new CameoError(
      'RECEIPT_INVALID',
      `the list of erasures ${file} cannot be read: ${messageOf(cause)}`,
      {
        cause,
      },
    )
  }
  const parsed = listSchema.safeParse(content)
  if (!parsed.success) throw new CameoError('RECEIPT_INVALID', `the file ${file} is not a list of receipts`)
  return parsed.data.map((value) => {
    const receipt = parseReceipt(value)
    if (receipt.archiveId !== archiveId)
      throw new CameoError('RECEIPT_INVALID', `receipt ${receipt.receiptId} is of another archive`)
    verifyReceipt(receipt, publicKey)
    return receipt
  })
}
