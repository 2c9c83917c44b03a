import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { CameoError } from '../../pipeline/common/errors.js'
import { openArchive } from './open-archive.js'
import { finishErasure } from './finish-erasure.js'
import { databaseFileName, sqliteError } from '../store/database.js'
import { pendingErasure } from '../store/erasure.js'
import { hasFollower } from '../store/locks.js'
import type { VectorEngines } from '../vectors/vector-engine.js'

export interface PrepareEvents {
  /** Told that others had access, and that an erasure is finished. */
  readonly onNotice: (message: string) => void
  /** Told the ERASURE_PENDING of an erasure that still has to wait. */
  readonly onErasurePending: (error: CameoError) => void
  /** As for `openArchive`. */
  readonly engines?: VectorEngines
}

/**
 * To be called first with an archive, whether it is there or not: ends other users' access to it, and finishes an erasure that
 * could not be, its process having been killed or others having read. What is wrong with the archive otherwise is left for
 * whoever opens it next to meet and tell.
 */
export async function prepareArchive(dir: string, events: PrepareEvents): Promise<void> {
  const { onNotice, engines = {} } = events
  if (!existsSync(join(dir, databaseFileName))) return
  try {
    const archive = openArchive(dir, { onNotice, engines })
    try {
      // An index worker that runs finishes it by itself.
      if (pendingErasure(archive.database) === undefined || hasFollower(dir)) return
      await finishErasure(archive, { waitMs: 0, hasFollower: false, onNotice })
      onNotice('finished an erasure that was begun earlier')
    } finally {
      archive.close()
    }
  } catch (error) {
    if (error instanceof CameoError && error.code === 'ERASURE_PENDING') events.onErasurePending(error)
    else if (!(error instanceof CameoError) && sqliteError(dir, error) === undefined) throw error
  }
}
