import { CameoError } from '../../pipeline/common/errors.js'
import { publicKeyPem, readSigningKeys } from '../audit/archive-keys.js'
import type { AuditLog } from '../audit/audit-log.js'
import { ReceiptRows } from '../store/audit/receipt-rows.js'
import { parseReceipt, type Receipt } from './receipt.js'

/** All receipts of an archive, in the order in which they were made. @param since ISO 8601, UTC. @throws RECEIPT_INVALID */
export const listReceipts = (log: AuditLog, since?: string): Receipt[] =>
  new ReceiptRows(log.database).all(since).map(({ body }) => parseReceipt(JSON.parse(body)))

/** @throws RECEIPT_UNKNOWN; RECEIPT_INVALID */
export function findReceipt(log: AuditLog, receiptId: string): Receipt {
  const row = new ReceiptRows(log.database).find(receiptId)
  if (row === undefined) throw new CameoError('RECEIPT_UNKNOWN', `the archive has no receipt "${receiptId}"`)
  return parseReceipt(JSON.parse(row.body))
}

/** PEM text of the key with which receipts are checked. */
export const receiptKeyOf = (archiveDir: string): string => publicKeyPem(readSigningKeys(archiveDir))
