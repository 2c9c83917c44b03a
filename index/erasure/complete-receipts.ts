import { CameoError, messageOf } from '../../pipeline/common/errors.js'
import { openArchive, type Archive } from '../archive/open-archive.js'
import { AuditLog } from '../audit/audit-log.js'
import { systemActor } from '../audit/system-actor.js'
import { hasAuditDatabase, openAuditDatabase } from '../store/audit/audit-database.js'
import { ErasureNotes } from '../store/audit/erasure-notes.js'
import { ReceiptRows } from '../store/audit/receipt-rows.js'
import { pendingErasure } from '../store/erasure.js'
import { settleNotes } from './noted-erasures.js'
import { parseReceipt } from './receipt.js'
import { addReceipt, signReceipt } from './write-receipt.js'

/**
 * Finishes what erasures left undone in the audit log: destroys the keys of what is gone, and adds a second receipt for each
 * unfinished erasure that is finished now, unless one is pending. If that fails, the caller is told, and the next call tries again.
 */
export async function completeReceipts(archive: Archive, notify: (notice: string) => void): Promise<void> {
  if (!hasAuditDatabase(archive.dir) || archive.database.readonly) return
  try {
    const log = AuditLog.open(archive.dir)
    try {
      await settleNotes(archive, log, notify)
      const unfinished = new ReceiptRows(log.database).unfinished()
      if (unfinished.length === 0 || pendingErasure(archive.database) !== undefined) return
      if (!(await log.emptyFileLog(0))) return
      for (const { body } of unfinished) {
        const first = parseReceipt(JSON.parse(body))
        const erased = { ...first.erased, snapshots: 'clean' as const }
        const second = signReceipt(archive, log, {
          ...{ erased, state: 'complete', completes: first.receiptId, reference: first.reference },
          ...{ subject: first.subject, check: first.check, unreachable: first.unreachable },
        })
        addReceipt(log, second, { actor: systemActor(), action: 'erasure-finished' })
      }
    } finally {
      log.close()
    }
  } catch (error) {
    if (!(error instanceof CameoError)) throw error
    notify(`the receipts of finished erasures were not written: ${messageOf(error)}`)
  }
}

/** The same for an archive that is not open, if there is something to do. */
export async function completeReceiptsIn(
  archiveDir: string,
  notify: (notice: string) => void,
): Promise<void> {
  if (!hasUnfinished(archiveDir)) return
  const archive = openArchive(archiveDir)
  try {
    await completeReceipts(archive, notify)
  } finally {
    archive.close()
  }
}

/** False as well if the log cannot be read: its next use tells. */
function hasUnfinished(archiveDir: string): boolean {
  if (!hasAuditDatabase(archiveDir)) return false
  try {
    const database = openAuditDatabase(archiveDir)
    try {
      return new ReceiptRows(database).unfinished().length > 0 || new ErasureNotes(database).all().length > 0
    } finally {
      database.close()
    }
  } catch (error) {
    if (error instanceof CameoError) return false
    throw error
  }
}
