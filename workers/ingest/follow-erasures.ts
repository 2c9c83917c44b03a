import type { Archive } from '../../index/archive/open-archive.js'
import { finishErasure } from '../../index/archive/finish-erasure.js'
import { completeReceipts } from '../../index/erasure/complete-receipts.js'
import { pendingErasure } from '../../index/store/erasure.js'
import { CameoError } from '../../pipeline/common/errors.js'

export interface ErasureFollower {
  /** Tries to finish pending erasures, unless an attempt is running. */
  follow(): Promise<void>
}

/**
 * Removes erased bytes from the files of an archive that this process keeps open, no matter which process
 * erased them. The vector follower writes the snapshots.
 * @param onNotice called once for each erasure that has to wait for other processes, and for other errors
 */
export function createErasureFollower(archive: Archive, onNotice: (text: string) => void): ErasureFollower {
  let following: Promise<void> | undefined
  let told: string | undefined

  async function finish(): Promise<void> {
    const erasure = pendingErasure(archive.database)
    if (erasure === undefined) return
    try {
      await finishErasure(archive, { waitMs: 0, hasFollower: true })
      await completeReceipts(archive, onNotice)
    } catch (error) {
      if (!(error instanceof CameoError)) throw error
      if (told !== erasure) onNotice(error.message)
      told = erasure
    }
  }

  return {
    follow() {
      following ??= finish().finally(() => (following = undefined))
      return following
    },
  }
}
