import { timingSafeEqual } from 'node:crypto'
import type { StoredAuditRow, StoredHead } from '../store/audit/audit-rows.js'
import type { ArchiveMacs } from './archive-keys.js'

/** The end of an empty log. */
export const emptyHead = { count: 0, hash: Buffer.alloc(32) }

/** Where a log ends: how many rows it has, and the hash of the last one. */
export type ChainEnd = Pick<StoredHead, 'count' | 'hash'>

const encodingVersion = 1

/** A row's text for its hash: a JSON list of its columns in a fixed order. Different rows have different texts. */
export const canonicalRow = (row: Omit<StoredAuditRow, 'hash' | 'previousHash'>): string =>
  JSON.stringify([
    ...[encodingVersion, row.seq, row.at, row.actorKind, row.actorId, row.actorName, row.action],
    ...[row.purpose, row.caseReference, row.approvalId, row.outcome, row.details, row.sealed],
  ])

/** HMAC-SHA-256 over the hash of the row before and all columns of this one. */
export const hashOfRow = (macs: ArchiveMacs, row: Omit<StoredAuditRow, 'hash'>): Buffer =>
  macs.mac('chain', row.previousHash, canonicalRow(row))

/** Signs the end of the log, so that nobody without the key can shorten it. */
export const macOfHead = (macs: ArchiveMacs, { count, hash }: ChainEnd): Buffer =>
  macs.mac('head', JSON.stringify(['head', count, hash.toString('hex')]))

/** Compares in constant time. */
export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && timingSafeEqual(a, b)
