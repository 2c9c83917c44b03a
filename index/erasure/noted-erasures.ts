import { eraseKeptAnswersOf } from '../access/kept-answers.js'
import type { Archive } from '../archive/open-archive.js'
import type { AuditSubject } from '../audit/audit-entry.js'
import type { AuditLog } from '../audit/audit-log.js'
import { labelHmac } from '../audit/sealed-parts.js'
import { systemActor } from '../audit/system-actor.js'
import { ErasureNotes, type ErasureNote } from '../store/audit/erasure-notes.js'
import { everyClipId } from '../store/clip-lookup.js'
import { groupsWithTracks } from '../store/erased-rows.js'
import { listIdentities } from '../store/identities.js'
import { tryLockErasures } from '../store/locks.js'
import type { Database } from '../store/sqlite.js'

type Owner = AuditSubject & { readonly kind: ErasureNote['ownerKind'] }

/** What is noted of a name, clip or group that an erasure is about to take, and of the photos that go with a name. */
export function notesOf(
  { macs }: AuditLog,
  owner: Owner,
  photos: readonly AuditSubject[] = [],
): ErasureNote[] {
  const ownerHmac = labelHmac(macs, owner)
  const hmacs = [ownerHmac, ...photos.map((photo) => labelHmac(macs, photo))]
  return hmacs.map((hmac) => ({ labelHmac: hmac, ownerKind: owner.kind, ownerHmac }))
}

/**
 * Finishes erasures whose process died before it destroyed the keys in the audit log: destroys those of the noted subjects
 * that are gone from the archive. The others were not erased: they keep their keys, and their notes go. Does nothing while an
 * erasure runs.
 */
export async function settleNotes(
  { dir, database }: Archive,
  log: AuditLog,
  notify: (notice: string) => void,
): Promise<void> {
  if (new ErasureNotes(log.database).all().length === 0) return
  const lock = tryLockErasures(dir)
  if (lock === undefined) return
  try {
    const notes = new ErasureNotes(log.database)
    const noted = notes.all()
    const present = presentOwners(database, log, noted)
    const gone = noted.filter(({ ownerHmac }) => !present.has(ownerHmac.toString('hex')))
    if (gone.length > 0) eraseKeptAnswersOf(dir, notify)
    const destroyed = log.destroyKeysWith(
      gone.map((note) => note.labelHmac),
      () => notes.remove(noted),
    )
    if (destroyed === 0) return
    const details = { auditKeys: destroyed }
    await log.append({ actor: systemActor(), action: 'erasure-finished', outcome: 'done', details })
    await log.emptyFileLog(0)
  } finally {
    lock.release()
  }
}

/** The HMACs of everything in the archive that is of a kind that was noted, hex. */
function presentOwners(database: Database, { macs }: AuditLog, noted: readonly ErasureNote[]): Set<string> {
  const kinds = [...new Set(noted.map(({ ownerKind }) => ownerKind))]
  return new Set(
    kinds.flatMap((kind) =>
      labelsIn[kind](database).map((label) => labelHmac(macs, { kind, label }).toString('hex')),
    ),
  )
}

const labelsIn: Readonly<Record<ErasureNote['ownerKind'], (database: Database) => string[]>> = {
  name: (database) => listIdentities(database).map(({ name }) => name),
  clip: everyClipId,
  group: (database) => groupsWithTracks(database).map(String),
}
