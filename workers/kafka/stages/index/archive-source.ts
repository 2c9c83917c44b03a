import { openArchive, type Archive } from '../../../../index/archive/open-archive.js'
import { translateSqliteErrors } from '../../../../index/store/database.js'
import { lockArchive } from '../../../../index/store/locks.js'
import { deleteMeta, readMeta, writeMeta } from '../../../../index/store/meta.js'
import { deleteReceived } from '../../../../index/store/replay.js'
import { inTransaction } from '../../../../index/store/transaction.js'
import { CameoError } from '../../../../pipeline/common/errors.js'
import { beginReplay } from './archive-recipes.js'

const clusterKey = 'kafka.cluster'

/**
 * Stores which cluster feeds the archive.
 * @param cluster its id, and the topics' prefix
 * @throws TOPIC_CHANGED if another cluster fed it before
 */
export function checkCluster(archive: Archive, cluster: string): void {
  const own = readMeta(archive.database, clusterKey)
  if (own === undefined) writeMeta(archive.database, clusterKey, cluster)
  else if (own !== cluster)
    throw new CameoError(
      'TOPIC_CHANGED',
      `the archive ${archive.dir} was fed from another cluster or topic prefix (${own}) than this one (${cluster}); ` +
        'connect to its own cluster, or rebuild the archive from this one',
      { details: { remedy: 'replay-archive', archive: archive.dir, changed: 'cluster' } },
    )
}

/** Empties an archive that was fed by messages, so that the topic is read from its beginning. */
export function resetForReplay(archiveDir: string): void {
  const archive = openArchive(archiveDir, { create: true })
  try {
    const lock = lockArchive(archiveDir)
    try {
      const { database } = archive
      translateSqliteErrors(archiveDir, () =>
        inTransaction(database, () => {
          deleteReceived(database)
          deleteMeta(database, clusterKey)
          beginReplay(database)
        }),
      )
    } finally {
      lock.release()
    }
  } finally {
    archive.close()
  }
}
