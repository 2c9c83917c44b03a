import { randomBytes } from 'node:crypto'
import type { Archive } from '../archive/open-archive.js'
import { readSigningKeys } from '../audit/archive-keys.js'
import type { AuditEntry } from '../audit/audit-entry.js'
import type { AuditLog } from '../audit/audit-log.js'
import { signatureOf } from '../audit/signatures.js'
import { ReceiptRows } from '../store/audit/receipt-rows.js'
import { readArchiveId } from '../store/meta.js'
import { keyIdOf, type Receipt, type ReceiptBody } from './receipt.js'

/** Who erases, and why, as the log keeps it. */
export type ReceiptEntry = Pick<AuditEntry, 'action' | 'actor' | 'purpose' | 'caseReference' | 'approvalId'>

/** What a receipt says, before it has an id and a signature. */
export type UnsignedReceipt = Omit<
  ReceiptBody,
  'kind' | 'version' | 'receiptId' | 'archiveId' | 'keyId' | 'at' | 'reference'
> & { readonly reference: string | undefined }

/** Gives a receipt its id and the signature of the archive. */
export function signReceipt(archive: Archive, log: AuditLog, unsigned: UnsignedReceipt): Receipt {
  const keys = readSigningKeys(log.dir)
  const receiptId = `R-${randomBytes(8).toString('hex')}`
  const body: ReceiptBody = {
    ...unsigned,
    ...{ kind: 'cameo-erasure-receipt', version: 1, receiptId },
    ...{ archiveId: readArchiveId(archive.database), keyId: keyIdOf(keys.publicKey) },
    ...{ at: new Date(log.now()).toISOString(), reference: unsigned.reference ?? receiptId },
  }
  return { ...body, signature: signatureOf(keys, body) }
}

/** Adds a receipt together with its entry. A receipt that finishes another one is added once. */
export function addReceipt(log: AuditLog, receipt: Receipt, entry: ReceiptEntry): void {
  const { receiptId, state, completes, subject } = receipt
  const { action, actor, purpose, caseReference, approvalId } = entry
  log.appendWith(() => {
    if (completes !== undefined && new ReceiptRows(log.database).findCompletion(completes) !== undefined)
      return { result: undefined, entries: [] }
    insertReceipt(log, receipt)
    return {
      result: undefined,
      entries: [
        {
          ...{ actor, action, purpose, caseReference, approvalId, outcome: 'done' },
          details: { receiptId, state, completes, subject: subject.kind, count: subject.count },
        },
      ],
    }
  })
}

/** Adds a receipt, if the log does not have it. */
export function insertReceipt(log: AuditLog, receipt: Receipt): void {
  new ReceiptRows(log.database).insert({
    receiptId: receipt.receiptId,
    at: receipt.at,
    completes: receipt.completes ?? null,
    pending: receipt.state === 'pending' ? 1 : 0,
    body: JSON.stringify(receipt),
  })
}
