import { openArchiveIndex } from '../../index/archive-index.js'
import { openArchive } from '../../index/archive.js'
import { activeSpace } from '../../index/store/meta.js'
import type { VectorCache } from '../../index/vector-cache.js'
import { messageOf } from '../../pipeline/errors.js'
import type { Logger } from '../log.js'

export interface VectorFollower {
  /** Begins to catch up, after what is under way; errors are logged, and made good by a later call. */
  follow(): void
  /** Catches up once more and closes the index. */
  close(): Promise<void>
}

/** Keeps the vector index up with the rows. There is none before the first segment, and another after a change of recipe. */
export function createVectorFollower(archiveDir: string, log: Logger): VectorFollower {
  // A connection of its own: the index sees only what is durable.
  const committed = openArchive(archiveDir)
  let index: { readonly spaceId: number; readonly cache: VectorCache } | undefined
  let following: Promise<void> = Promise.resolve()

  async function catchUp(): Promise<void> {
    const space = activeSpace(committed.database)
    if (space === undefined) return
    if (index?.spaceId !== space.spaceId) {
      await index?.cache.close()
      index = undefined
      const cache = await openArchiveIndex(committed, { onNotice: (text) => log.info(text) })
      index = { spaceId: space.spaceId, cache }
    }
    await index.cache.catchUp()
    await index.cache.snapshotIfDue()
    await index.cache.compactIfNeeded()
  }

  function follow(): void {
    following = following.then(catchUp).catch((error: unknown) => {
      log.warn({ error: messageOf(error) }, 'the vector index will catch up later')
    })
  }

  return {
    follow,
    async close() {
      follow()
      await following
      await index?.cache.close()
      committed.close()
    },
  }
}
