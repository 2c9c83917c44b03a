import type { Access } from '../../../index/access/access.js'
import type { AuditLog } from '../../../index/audit/audit-log.js'
import { foldersOfActor, type RequestActor } from '../../../index/access/request-actor.js'
import { readSettings } from '../../../index/access/settings.js'
import { Approvals, type Approval } from '../../../index/audit/approvals.js'
import type { AuditPart, JsonObject } from '../../../index/audit/audit-entry.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import type { SearchBody } from '../schemas/search.js'
import type { UploadDesk } from '../uploads/upload-desk.js'

interface Parts {
  readonly access: Access
  readonly auditLog: AuditLog
  readonly uploads: Pick<UploadDesk, 'find'>
}

/**
 * Checks that a search may be made: it says why where it has to, and its approval is used up where it needs one.
 * @throws PURPOSE_MISSING, APPROVAL_MISSING, APPROVAL_*
 */
export function checkPolicy(parts: Parts, actor: RequestActor, body: SearchBody): void {
  const { purposeRequired, approvalRequired } = readSettings(parts.access)
  if (purposeRequired && (body.purpose ?? '').trim() === '')
    throw new CameoError('PURPOSE_MISSING', 'say for what purpose the search is made')
  if (!approvalRequired) return
  if (body.approvalId === undefined)
    throw new CameoError(
      'APPROVAL_MISSING',
      'this search needs the approval of another person: request it first',
    )
  new Approvals(parts.auditLog).use(plain(actor), body.approvalId, questionOf(parts, actor, body))
}

/** Asks for the approval of a search. */
export function requestApproval(parts: Parts, actor: RequestActor, body: SearchBody): Approval {
  const { purpose, case: caseReference } = body
  return new Approvals(parts.auditLog).request(plain(actor), {
    ...{ question: questionOf(parts, actor, body), parts: partsOf(parts, actor, body) },
    ...{ purpose, caseReference },
  })
}

/**
 * Everything that makes the question this question. A photo is named by its digest; who sees less asks another question.
 * @throws NOT_FOUND if the upload is gone
 */
function questionOf(parts: Parts, actor: RequestActor, body: SearchBody): JsonObject {
  const question: Partial<SearchBody> = { ...body }
  delete question.approvalId
  delete question.purpose
  delete question.case
  return { ...question, ...foldersOfActor(actor), subject: subjectOf(parts, actor, body.subject) }
}

function subjectOf(
  { auditLog, uploads }: Parts,
  actor: RequestActor,
  subject: SearchBody['subject'],
): JsonObject {
  if (!('uploadId' in subject)) return subject
  const { contentSha256 } = uploads.find(actor, subject.uploadId)
  return { photo: auditLog.digestOfQuery(contentSha256), face: subject.face }
}

/** Whom the search is for, as the person who decides sees it. */
function partsOf(
  parts: Parts,
  actor: RequestActor,
  { subject, with: others = [], without = [] }: SearchBody,
): AuditPart[] {
  const named = (name: string, role: string): AuditPart => ({
    subject: { kind: 'name', label: name },
    content: { name, role },
  })
  return [
    queryPart(subjectOf(parts, actor, subject), subject),
    ...others.map((name) => named(name, 'with')),
    ...without.map((name) => named(name, 'without')),
  ]
}

function queryPart(known: JsonObject, subject: SearchBody['subject']): AuditPart {
  const content = { ...known, role: 'query' }
  if ('name' in subject) return { subject: { kind: 'name', label: subject.name }, content }
  if ('personId' in subject) return { subject: { kind: 'group', label: `${subject.personId}` }, content }
  if ('clipId' in subject) return { subject: { kind: 'clip', label: subject.clipId }, content }
  if ('trackId' in subject) return { subject: { kind: 'group', label: `track ${subject.trackId}` }, content }
  const { photo } = known
  return { subject: { kind: 'photo', label: typeof photo === 'string' ? photo : '' }, content }
}

const plain = ({ kind, id, name }: RequestActor) => ({ kind, id, name })
