import { z } from 'zod'
import type { AuditRowFilter, StoredAuditRow } from '../store/audit/audit-rows.js'
import type { SubjectKeys } from '../store/audit/subject-keys.js'
import type { JsonObject } from './audit-entry.js'
import type { AuditLog } from './audit-log.js'
import { readParts, type ReadPart } from './sealed-parts.js'

/** A row of the log for people, as far as it can still be read. */
export interface AuditRecord {
  /** From 1, in the order in which rows were added. */
  readonly seq: number
  /** ISO 8601, UTC. */
  readonly at: string
  readonly actor: { readonly kind: string; readonly id: string; readonly name: string }
  readonly action: string
  readonly purpose?: string
  readonly caseReference?: string
  readonly approvalId?: string
  readonly outcome: string
  readonly details: JsonObject
  readonly parts: readonly ReadPart[]
  /** Hex. */
  readonly hash: string
}

export interface AuditListRequest extends AuditRowFilter {
  /** `next` of the page before. */
  readonly after?: number | undefined
  /** Default: 100. */
  readonly limit?: number | undefined
  /** Default: newest. */
  readonly order?: 'newest' | 'oldest' | undefined
}

export interface AuditPage {
  readonly entries: readonly AuditRecord[]
  /** Where the next page begins. Undefined on the last one. */
  readonly next?: number
}

/** A page of the log. */
export function listAudit(log: AuditLog, request: AuditListRequest = {}): AuditPage {
  const { after, limit = 100, order = 'newest' } = request
  const rows = log.rows.select(request, { after, limit: limit + 1, order })
  const entries = rows.slice(0, limit).map((row) => recordOf(row, log.keys))
  const last = entries.at(-1)
  return { entries, ...(rows.length > limit && last !== undefined ? { next: last.seq } : {}) }
}

const detailsSchema = z.record(z.string(), z.json())

/** What a row says. Its forgotten parts are erased. */
export function recordOf(row: StoredAuditRow, keys: SubjectKeys): AuditRecord {
  const { seq, at, action, purpose, caseReference, approvalId, outcome } = row
  return {
    ...{ seq, at, action, outcome },
    actor: { kind: row.actorKind, id: row.actorId, name: row.actorName },
    ...(purpose === null ? {} : { purpose }),
    ...(caseReference === null ? {} : { caseReference }),
    ...(approvalId === null ? {} : { approvalId }),
    details: detailsOf(row.details),
    parts: readParts(keys, row.sealed),
    hash: row.hash.toString('hex'),
  }
}

/** Empty if somebody damaged it: the verification tells. */
function detailsOf(text: string): JsonObject {
  try {
    return detailsSchema.parse(JSON.parse(text))
  } catch {
    return {}
  }
}
