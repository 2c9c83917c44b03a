import type { Archive } from '../../index/archive/open-archive.js'
import { finishErasure } from '../../index/archive/finish-erasure.js'
import { pendingErasure } from '../../index/store/erasure.js'
import { CameoError } from '../../pipeline/common/errors.js'

export interface ErasureFollower {
  /** Tries to finish what was erased from the archive, unless that is under way. */
  follow(): Promise<void>
}

/**
 * Sees to it that erased bytes leave the files of an archive that this process keeps, whoever erased: snapshots are written by the
 * vector follower.
 * @param onNotice told once for each erasure that has to wait for others, and of what else went wrong
 */
export function createErasureFollower(archive: Archive, onNotice: (text: string) => void): ErasureFollower {
  let following: Promise<void> | undefined
  let told: string | undefined

  async function finish(): Promise<void> {
    const erasure = pendingErasure(archive.database)
    if (erasure === undefined) return
    try {
      await finishErasure(archive, { waitMs: 0, hasFollower: true })
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
