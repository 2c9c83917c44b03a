import type { StoredAuditRow } from '../store/audit/audit-rows.js'
import type { ArchiveMacs } from './archive-keys.js'
import type { AuditEntry, AuditPart } from './audit-entry.js'
import { hashOfRow, type ChainEnd } from './chain.js'

/** An entry and when it came. */
export interface TimedEntry {
  readonly entry: AuditEntry
  /** ISO 8601, UTC. */
  readonly at: string
}

/** The row of an entry at the end of a log. */
export function rowOf(
  { entry, at }: TimedEntry,
  end: ChainEnd,
  macs: ArchiveMacs,
  seal: (parts: readonly AuditPart[]) => string,
): StoredAuditRow {
  const { actor, action, approvalId, outcome, details = {}, parts = [] } = entry
  const { purpose, caseReference } = withoutNames(entry, parts)
  const sealedParts = parts.map((part) => withOwnWords(part, entry))
  const row = {
    ...{ seq: end.count + 1, at, action, outcome },
    ...{ actorKind: actor.kind, actorId: actor.id, actorName: actor.name },
    ...{ purpose: purpose ?? null, caseReference: caseReference ?? null, approvalId: approvalId ?? null },
    details: JSON.stringify(details),
    sealed: seal(sealedParts),
    previousHash: end.hash,
  }
  return { ...row, hash: hashOfRow(macs, row) }
}

type Words = Pick<AuditEntry, 'purpose' | 'caseReference'>

const inPlaceOfName = '[name]'

/** What people wrote. They write the name into the purpose, too: it stands only in the part that its key protects. */
export function withoutNames(words: Words, parts: readonly Pick<AuditPart, 'subject'>[]): Words {
  const names = parts.flatMap(({ subject: { kind, label } }) => (kind === 'name' ? [label] : []))
  const redacted = (text: string | undefined) =>
    names.reduce<string | undefined>(
      (left, name) => left?.normalize('NFC').replace(named(name), inPlaceOfName),
      text,
    )
  return { purpose: redacted(words.purpose), caseReference: redacted(words.caseReference) }
}

/** A part of a name, with what people wrote if the name is in it. */
export function withOwnWords(part: AuditPart, { purpose, caseReference }: Words): AuditPart {
  const { subject, content } = part
  if (subject.kind !== 'name') return part
  const isNamed = (text: string | undefined) =>
    text !== undefined && named(subject.label).test(text.normalize('NFC'))
  if (!isNamed(purpose) && !isNamed(caseReference)) return part
  return {
    subject,
    content: {
      ...content,
      ...(isNamed(purpose) ? { purpose } : {}),
      ...(isNamed(caseReference) ? { caseReference } : {}),
    },
  }
}

/** Matches a name as it stands, in capitals or not. */
const named = (name: string) =>
  new RegExp(
    name
      .normalize('NFC')
      .trim()
      .replace(/[.*+?^${}()|[\]\\]/g, '\\$&'),
    'giu',
  )
