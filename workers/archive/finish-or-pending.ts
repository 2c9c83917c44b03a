import { finishErasure } from '../../index/archive/finish-erasure.js'
import { completeReceipts } from '../../index/erasure/complete-receipts.js'
import type { Archive } from '../../index/archive/open-archive.js'
import { CameoError } from '../../pipeline/common/errors.js'
import type { Caller } from '../../pipeline/stages/caller.js'

export interface FinishRequest {
  /** How long to wait for other processes that read the archive. */
  readonly waitMs: number
  /** An index worker maintains the archive. */
  readonly hasFollower: boolean
  readonly notify: Caller['notify']
}

/** Finishes an erasure. Undefined if it is finished, otherwise the ERASURE_PENDING error. */
export async function finishOrPending(
  archive: Archive,
  { waitMs, hasFollower, notify }: FinishRequest,
): Promise<CameoError | undefined> {
  try {
    await finishErasure(archive, { waitMs, hasFollower, onWait: notify, onNotice: notify })
    await completeReceipts(archive, notify)
    return undefined
  } catch (error) {
    if (error instanceof CameoError && error.code === 'ERASURE_PENDING') return error
    throw error
  }
}
