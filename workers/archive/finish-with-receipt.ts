import { eraseKeptAnswersOf } from '../../index/access/kept-answers.js'
import type { Archive } from '../../index/archive/open-archive.js'
import type { ErasureOutcome, ErasureProof } from '../../index/erasure/prove-erasure.js'
import type { Receipt } from '../../index/erasure/receipt.js'
import type { CameoError } from '../../pipeline/common/errors.js'
import { finishOrPending, type FinishRequest } from './finish-or-pending.js'

export interface FinishedErasure {
  /** ERASURE_PENDING: another process blocks it. */
  readonly pending: CameoError | undefined
  /** Undefined if the audit log could not be written. */
  readonly receipt: Receipt | undefined
}

/**
 * Finishes an erasure whose rows are gone, and gives its receipt. If it has to wait, a first receipt says so: it is there even
 * if the process dies while it waits.
 */
export async function finishWithReceipt(
  archive: Archive,
  proof: ErasureProof | undefined,
  outcome: Omit<ErasureOutcome, 'pending'>,
  request: FinishRequest,
): Promise<FinishedErasure> {
  // First: if the process dies, the next one finds the keys and does both again.
  eraseKeptAnswersOf(archive.dir, request.notify)
  proof?.destroyKeys()
  const first = await finishOrPending(archive, { ...request, waitMs: 0 })
  const receipt = await proof?.finish({ ...outcome, pending: first })
  if (first === undefined || request.waitMs === 0) return { pending: first, receipt }
  const pending = await finishOrPending(archive, request)
  return { pending, receipt: receipt === undefined ? undefined : (proof?.completionOf(receipt) ?? receipt) }
}
