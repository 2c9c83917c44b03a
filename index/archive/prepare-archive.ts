import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { CameoError } from '../../pipeline/common/errors.js'
import { openArchive } from './open-archive.js'
import { finishErasure } from './finish-erasure.js'
import { databaseFileName, sqliteError } from '../store/database.js'
import { pendingErasure } from '../store/erasure.js'
import { hasFollower } from '../store/locks.js'

/**
 * What every command does first with an archive that is there: ends other users' access to it, and finishes an erasure that
 * could not be, its process having been killed or others having read. What is wrong with the archive otherwise is left for the
 * command to meet and tell.
 * @param onNotice told what became of either
 */
export async function prepareArchive(dir: string, onNotice: (message: string) => void): Promise<void> {
  if (!existsSync(join(dir, databaseFileName))) return
  try {
    const archive = openArchive(dir, { onNotice })
    try {
      // An index worker that runs finishes it by itself.
      if (pendingErasure(archive.database) === undefined || hasFollower(dir)) return
      await finishErasure(archive, { waitMs: 0, hasFollower: false, onNotice })
      onNotice('finished an erasure that an earlier command began')
    } finally {
      archive.close()
    }
  } catch (error) {
    if (error instanceof CameoError && error.code === 'ERASURE_PENDING') onNotice(error.message)
    else if (!(error instanceof CameoError) && sqliteError(dir, error) === undefined) throw error
  }
}
