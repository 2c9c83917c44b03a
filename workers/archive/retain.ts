import { resolve } from 'node:path'
import type { DamagedThing } from '../../index/archive/damaged-things.js'
import type { Archive } from '../../index/archive/open-archive.js'
import type { ListParts } from '../../index/clips/list-clips.js'
import { removeLastAnswer } from '../../index/editing/last-answer.js'
import { ErasureProof, type ErasureOrder } from '../../index/erasure/prove-erasure.js'
import type { Receipt } from '../../index/erasure/receipt.js'
import { forgetClip, lossOf } from '../../index/identities/forget.js'
import {
  planRetention,
  type AgedEntry,
  type PlannedEntry,
  type RetentionPlan,
  type RetentionWish,
} from '../../index/retention/plan-retention.js'
import { eraseUnnamed } from '../../index/retention/unnamed-tracks.js'
import { lockForErasure } from '../../index/store/locks.js'
import type { CameoError } from '../../pipeline/common/errors.js'
import type { Caller } from '../../pipeline/stages/caller.js'
import { openCheckpointFolder } from '../checkpoints/checkpoint-folder.js'
import { finishWithReceipt } from './finish-with-receipt.js'

export interface RetainRequest extends RetentionWish {
  /** Only find out what would be forgotten. Default: false. */
  readonly dryRun?: boolean | undefined
  /** How long to wait for other processes that read the archive. */
  readonly waitMs: number
  /** Folder in which faces workers on this machine keep checkpoints, which hold pixels of faces. */
  readonly checkpointsDir?: string | undefined
  /** Asked before anything is erased; nothing is if it says false. Not asked if nothing is old enough. */
  readonly confirm?: ((plan: RetentionPlan) => Promise<boolean>) | undefined
  /** Who erases, and why: for the audit log. */
  readonly order?: ErasureOrder | undefined
  /** Stops between two clips. */
  readonly signal?: AbortSignal | undefined
}

/** What was forgotten because of its age, or would be. */
export interface RetainReport {
  /** `planned` after a dry run, `declined` if the caller did not agree, `interrupted` if the rest has to wait. */
  readonly status: 'done' | 'planned' | 'declined' | 'interrupted'
  readonly what: 'clips' | 'unnamed-people'
  /** Clips of this time or earlier are meant. */
  readonly before: Date
  /** In order of their paths. */
  readonly clips: readonly AgedEntry[]
  /** What cannot be trusted, and was left alone. */
  readonly damaged: readonly DamagedThing[]
  /**
   * ERASURE_PENDING: no search finds the erased data, but its bytes are still in a file that another process
   * reads.
   */
  readonly pending: CameoError | undefined
  /** The signed proof. Undefined if nothing was erased, or if the audit log could not be written. */
  readonly receipt: Receipt | undefined
}

/**
 * Forgets clips, or the people without names in them, that are older than a number of days. Each clip is erased as a
 * whole or not at all; a run that was stopped is continued by the next one.
 * @throws ARCHIVE_BUSY; as `planRetention` does
 */
export async function retain(
  parts: ListParts,
  request: RetainRequest,
  { notify, progress }: Caller,
): Promise<RetainReport> {
  const { archive } = parts.opened
  const now = Date.now()
  const shown = await planRetention(parts, request, now, notify)
  if (request.dryRun === true) return reportOf(shown, 'planned', shown.entries)
  if (shown.entries.length === 0) return reportOf(shown, 'done', [])
  if (request.confirm !== undefined && !(await request.confirm(shown))) return reportOf(shown, 'declined', [])
  const lock = await lockForErasure(archive.dir)
  const proof = ErasureProof.begin(archive, request.order ?? {}, notify)
  try {
    // Meanwhile names may have been enrolled, or clips forgotten. Nothing goes that was not shown.
    const wanted = new Set(shown.entries.map(({ clipId }) => clipId))
    const plan = await planRetention(parts, request, now, notify)
    const entries = plan.entries.filter(({ clipId }) => wanted.has(clipId))
    const done: PlannedEntry[] = []
    for (const entry of entries) {
      if (request.signal?.aborted === true) break
      erase(archive, plan, entry, { request, proof, notify })
      done.push(entry)
      progress({ task: 'forget clips', done: done.length, total: entries.length })
      await nextTurn()
    }
    // It may tell of what is forgotten.
    if (done.length > 0) removeLastAnswer(archive.dir)
    const { waitMs, checkpointsDir } = request
    const { pending, receipt } = await finishWithReceipt(
      archive,
      done.length === 0 ? undefined : proof,
      {
        ...{ kind: plan.what, count: done.length, waitMs, checkpointFolder: checkpointsDir !== undefined },
        action: plan.what === 'clips' ? 'forget-clip' : 'forget-unnamed',
      },
      { waitMs, hasFollower: lock === undefined, notify },
    )
    const status = done.length < entries.length ? 'interrupted' : 'done'
    return { ...reportOf(plan, status, done), pending, receipt }
  } finally {
    proof?.close()
    lock?.release()
  }
}

interface Erasing {
  readonly request: RetainRequest
  readonly proof: ErasureProof | undefined
  readonly notify: Caller['notify']
}

function erase(
  { database }: Archive,
  { what }: RetentionPlan,
  { clipId, trackIds }: PlannedEntry,
  { request: { checkpointsDir }, proof, notify }: Erasing,
): void {
  if (what === 'clips') {
    proof?.things.addClip(clipId, lossOf(database, clipId).names)
    forgetClip(database, clipId)
  } else {
    proof?.things.addUnnamed(clipId, trackIds)
    eraseUnnamed(database, clipId, trackIds)
  }
  if (checkpointsDir !== undefined) openCheckpointFolder(resolve(checkpointsDir), notify).forget(clipId)
}

/** Lets signals and timers in. */
const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve))

const reportOf = (
  { what, before, damaged }: RetentionPlan,
  status: RetainReport['status'],
  entries: readonly PlannedEntry[],
): RetainReport => ({
  ...{ status, what, before, damaged, pending: undefined, receipt: undefined },
  clips: entries.map(({ clipId, paths, date, tracks, names }) => ({ clipId, paths, date, tracks, names })),
})
