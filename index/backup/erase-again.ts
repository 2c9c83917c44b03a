import type { Caller } from '../../pipeline/stages/caller.js'
import { withModels } from '../archive/archive-models.js'
import { finishErasure } from '../archive/finish-erasure.js'
import type { Archive } from '../archive/open-archive.js'
import type { AuditLog } from '../audit/audit-log.js'
import { labelHmac } from '../audit/sealed-parts.js'
import { faceLabel, hmacOf } from '../erasure/erased-things.js'
import type { Receipt } from '../erasure/receipt.js'
import { insertReceipt } from '../erasure/write-receipt.js'
import { forgetFacesThat } from '../identities/enrolled-faces.js'
import { forgetClip } from '../identities/forget.js'
import { forgetName } from '../identities/identities.js'
import { eraseReturned } from '../retention/unnamed-tracks.js'
import { toBlob } from '../store/blobs.js'
import { everyClipId } from '../store/clip-lookup.js'
import { addForgotten } from '../store/forgotten-clips.js'
import { listIdentities } from '../store/identities.js'
import { clipsWithReturned, noteAllReturned } from '../store/retention.js'
import { inTransaction } from '../store/transaction.js'
import type { ReplacedArchive } from './known-erasures.js'

/** How much of a backup was erased again. */
export interface ErasedAgain {
  readonly names: number
  readonly faces: number
  readonly clips: number
  /** Tracks of people without names. */
  readonly tracks: number
  readonly auditKeys: number
}

/** Erases from a restored archive what was erased since its backup, before anybody sees it. */
export async function eraseAgain(
  archive: Archive,
  log: AuditLog,
  known: { readonly receipts: readonly Receipt[]; readonly replaced: ReplacedArchive | undefined },
  caller: Caller,
): Promise<ErasedAgain> {
  const { receipts, replaced } = known
  const erased = new Set(receipts.flatMap(({ subject }) => subject.hmacs.map(({ hmac }) => hmac)))
  const counts = {
    names: forgetNames(archive, log, erased, replaced),
    faces: forgetFaces(archive, log, erased),
    clips: forgetClips(archive, log, erased, replaced),
  }
  const tracks = await forgetUnnamed(archive, log, erased, caller)
  const auditKeys = await destroyKeys(log, erased, replaced)
  for (const receipt of receipts) insertReceipt(log, receipt)
  await finishErasure(archive, { waitMs: 10_000, hasFollower: false, onNotice: caller.notify })
  return { ...counts, tracks, auditKeys }
}

/** A name goes only when it is forgotten: one that the replaced archive no longer has was forgotten there. */
function forgetNames(
  { database }: Archive,
  log: AuditLog,
  erased: ReadonlySet<string>,
  replaced: ReplacedArchive | undefined,
): number {
  const names = listIdentities(database).filter(
    ({ name }) =>
      erased.has(labelHmac(log.macs, { kind: 'name', label: name }).toString('hex')) ||
      (replaced !== undefined && !replaced.names.has(name)),
  )
  for (const { name } of names) forgetName(database, name)
  return names.length
}

function forgetFaces({ database }: Archive, log: AuditLog, erased: ReadonlySet<string>): number {
  return listIdentities(database).reduce(
    (sum, { name }) =>
      sum +
      forgetFacesThat(database, name, ({ float16 }) =>
        erased.has(hmacOf(log, 'face', faceLabel(name, toBlob(float16)))),
      ),
    0,
  )
}

function forgetClips(
  { database }: Archive,
  log: AuditLog,
  erased: ReadonlySet<string>,
  replaced: ReplacedArchive | undefined,
): number {
  const forgotten = new Set(replaced?.forgottenClips ?? [])
  const clips = everyClipId(database).filter(
    (clipId) =>
      forgotten.has(clipId) ||
      erased.has(labelHmac(log.macs, { kind: 'clip', label: clipId }).toString('hex')),
  )
  for (const clipId of clips) forgetClip(database, clipId)
  // Their files may be there still: an ingest skips them.
  inTransaction(database, () => {
    for (const clipId of forgotten) addForgotten(database, clipId)
  })
  return clips.length
}

async function forgetUnnamed(
  archive: Archive,
  log: AuditLog,
  erased: ReadonlySet<string>,
  caller: Caller,
): Promise<number> {
  const { database, recipe } = archive
  for (const clipId of everyClipId(database))
    if (erased.has(hmacOf(log, 'unnamed', clipId))) noteAllReturned(database, clipId)
  if (recipe === undefined || clipsWithReturned(database).length === 0) return 0
  const opened = { archive, recipe }
  return withModels(opened, { device: { kind: 'cpu' } }, caller, (models) =>
    eraseReturned({ opened, models }),
  )
}

/** A key that the replaced log no longer has was destroyed there. */
async function destroyKeys(
  log: AuditLog,
  erased: ReadonlySet<string>,
  replaced: ReplacedArchive | undefined,
): Promise<number> {
  const destroyed = [...log.keys.all()].filter(
    ([hmac, { key }]) =>
      erased.has(hmac) || (replaced !== undefined && replaced.keys.get(hmac)?.key.equals(key) !== true),
  )
  inTransaction(log.database, () => {
    for (const [, { subjectId }] of destroyed) log.keys.destroy(subjectId)
  })
  await log.emptyFileLog()
  return destroyed.length
}
