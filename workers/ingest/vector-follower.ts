import { refuseUnknownEngine } from '../../index/archive/choose-engine.js'
import { openArchiveIndex } from '../../index/archive/open-archive-index.js'
import { openArchive, type Archive } from '../../index/archive/open-archive.js'
import { activeSpace } from '../../index/store/meta.js'
import type { VectorCache } from '../../index/vectors/archive/cached-index.js'
import { messageOf } from '../../pipeline/common/errors.js'

export interface VectorFollower {
  /** Starts to catch up, unless it is already doing so. Failures are reported; a later call repairs them. */
  follow(): void
  /** Catches up once more and closes the index. */
  close(): Promise<void>
}

/**
 * Keeps the vector index up to date while rows are written: graph, snapshots, compaction. There is no index
 * before the first segment. A change of recipe opens another one.
 * @throws USAGE if the archive uses an engine that was not given
 * @param archive supplies the folder and the engines
 * @param onNotice receives messages for a person; the same message never twice in a row
 */
export function createVectorFollower(
  archive: Pick<Archive, 'dir' | 'database' | 'engines'>,
  onNotice: (text: string) => void,
): VectorFollower {
  refuseUnknownEngine(archive)
  // Uses its own connection, so that the index sees only durable rows.
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
