import type { AuditEntry, AuditPart, AuditSubject } from '../../../index/audit/audit-entry.js'
import { changeEntry, type AccessChange } from '../../../index/access/change-entries.js'
import type { RequestActor } from '../../../index/access/request-actor.js'
import type { AskedQuery } from '../../../index/search/read-query.js'
import type { FoundClip, SearchResult } from '../../library/search.js'

/** Why something is done, as the asker says. */
export interface Reason {
  readonly purpose?: string | undefined
  readonly case?: string | undefined
  readonly approvalId?: string | undefined
}

/** The fields of an entry that say who and why. */
export const askedBy = ({ kind, id, name }: RequestActor, reason: Reason = {}) => ({
  actor: { kind, id, name },
  purpose: reason.purpose,
  caseReference: reason.case,
  approvalId: reason.approvalId,
})

/** A change of users, keys, collections or settings. */
export const accessEntry = (actor: RequestActor, change: AccessChange): AuditEntry => ({
  ...{ ...askedBy(actor), ...changeEntry(change), outcome: 'done' },
})

/**
 * A search: for whom, and which clips it found.
 * @param digest of the uploaded bytes of a photo or clip
 */
export function searchEntry(
  actor: RequestActor,
  reason: Reason,
  searchId: string,
  { query, matches, weak, threshold, tracksSearched }: SearchResult,
  digest?: string,
): AuditEntry {
  return {
    ...{ ...askedBy(actor, reason), action: 'search', outcome: 'done' },
    details: {
      ...{ searchId, kind: query.kind, matches: matches.length, weak: weak.length },
      ...{ threshold: threshold.threshold, tracksSearched },
    },
    parts: [...subjectPart(query, digest), ...[...matches, ...weak].map(foundPart)],
  }
}

/** Under the name or the photo that was asked with. A track or a group is asked for by a number that means nothing by itself. */
function subjectPart({ kind, value }: AskedQuery, digest: string | undefined): AuditPart[] {
  if (kind === 'name') return [{ subject: { kind, label: value }, content: { name: value } }]
  if (kind === 'person') return [{ subject: { kind: 'group', label: value }, content: { personId: value } }]
  if (digest === undefined) return []
  return [{ subject: { kind: 'photo', label: digest }, content: { digest } }]
}

const foundPart = ({ clipId, score, ranges }: FoundClip): AuditPart => ({
  subject: { kind: 'clip', label: clipId },
  content: { clipId, score, ranges: ranges.length },
})

/** Something that was done to or with one subject. */
export const subjectEntry = (
  actor: RequestActor,
  action: AuditEntry['action'],
  subject: AuditSubject,
  {
    details,
    reason,
    also = [],
  }: {
    readonly details?: AuditEntry['details']
    readonly reason?: Reason
    readonly also?: readonly AuditSubject[]
  } = {},
): AuditEntry => ({
  ...{ ...askedBy(actor, reason), action, outcome: 'done', details },
  parts: [subject, ...also].map((own) => ({ subject: own, content: { [own.kind]: own.label } })),
})

export const clipSubject = (label: string): AuditSubject => ({ kind: 'clip', label })
export const nameSubject = (label: string): AuditSubject => ({ kind: 'name', label })
export const groupSubject = (personId: number): AuditSubject => ({ kind: 'group', label: `${personId}` })
