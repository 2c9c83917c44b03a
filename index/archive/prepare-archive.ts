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
  /** Called if other users had access, and if an erasure was finished. */
  readonly onNotice: (message: string) => void
  /** Called with the ERASURE_PENDING error of an erasure that must still wait. */
  readonly onErasurePending: (error: CameoError) => void
  /** The same as for `openArchive`. */
  readonly engines?: VectorEngines
}

/**
 * Call this before any other use of an archive, even if it does not exist yet. Removes other users' access to it, and
 * finishes an erasure that was interrupted or blocked by a reader. Ignores other problems of the archive: the next
 * opening reports them.
 */
export async function prepareArchive(dir: string, events: PrepareEvents): Promise<void> {
  const { onNotice, engines = {} } = events
  if (!existsSync(join(dir, databaseFileName))) return
  try {
    const archive = openArchive(dir, { onNotice, engines })
    try {
      // A running index worker finishes the erasure itself.
      if (pendingErasure(archive.database) === undefined || hasFollower(dir)) return
      await finishErasure(archive, { waitMs: 0, hasFollower: false, onNotice })
      onNotice('finished an erasure that was started earlier')
    } finally {
      archive.close()
    }
  } catch (error) {
    if (error instanceof CameoError && error.code === 'ERASURE_PENDING') events.onErasurePending(error)
    else if (!(error instanceof CameoError) && sqliteError(dir, error) === undefined) throw error
  }
}
