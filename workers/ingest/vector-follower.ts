import { refuseUnknownEngine } from '../../index/archive/choose-engine.js'
import { openArchiveIndex } from '../../index/archive/open-archive-index.js'
import { openArchive, type Archive } from '../../index/archive/open-archive.js'
import { activeSpace } from '../../index/store/meta.js'
import type { VectorCache } from '../../index/vectors/archive/cached-index.js'
import { messageOf } from '../../pipeline/common/errors.js'

export interface VectorFollower {
  /** Begins to catch up, unless that is under way; what fails is told, and made good by a later call. */
  follow(): void
  /** Catches up once more and closes the index. */
  close(): Promise<void>
}

/**
 * Keeps the vector index up with an archive's rows while these are written: graph, snapshots, compaction. There is none before
 * the first segment, and another after a change of recipe.
 * @throws USAGE where the archive is configured with an engine that was not given
 * @param archive whose folder and engines are used
 * @param onNotice told what a person should know; the same not twice in a row
 */
export function createVectorFollower(
  archive: Pick<Archive, 'dir' | 'database' | 'engines'>,
  onNotice: (text: string) => void,
): VectorFollower {
  refuseUnknownEngine(archive)
  // A connection of its own: the index sees only what is durable.
  const committed = openArchive(archive.dir, { engines: archive.engines })
  let index: { readonly spaceId: number; readonly cache: VectorCache } | undefined
  let following: Promise<void> | undefined
  let told: string | undefined

  function tell(text: string): void {
    if (text !== told) onNotice(text)
    told = text
  }

  async function catchUp(): Promise<void> {
    const space = activeSpace(committed.database)
    if (space === undefined) return
    if (index?.spaceId !== space.spaceId) {
      await index?.cache.close()
      index = undefined
      const cache = await openArchiveIndex(committed, { onNotice: tell })
      index = { spaceId: space.spaceId, cache }
    }
    await index.cache.catchUp()
    await index.cache.compactIfNeeded()
    await index.cache.snapshotIfDue()
  }

  async function followOnce(): Promise<void> {
    try {
      await catchUp()
    } catch (error) {
      tell(`the vector index will catch up later: ${messageOf(error)}`)
    }
    following = undefined
  }

  function follow(): Promise<void> {
    following ??= followOnce()
    return following
  }

  return {
    follow: () => void follow(),
    async close() {
      await following
      await follow()
      try {
        await index?.cache.close()
      } finally {
        committed.close()
      }
    },
  }
}
