import { CameoError, messageOf } from '../../pipeline/common/errors.js'
import type { Caller } from '../../pipeline/stages/caller.js'
import type { VectorCache } from '../vectors/archive/cached-index.js'
import { openArchiveIndex } from './open-archive-index.js'
import type { Archive } from './open-archive.js'

/** Runs `work` with the up-to-date vector index of an archive. */
export type UseIndex = <T>(work: (index: VectorCache) => Promise<T>) => Promise<T>

/** Opens the vector index for each piece of work, and closes it afterwards. */
export const openIndexFor =
  (archive: Archive, caller: Pick<Caller, 'notify'>): UseIndex =>
  async (work) => {
    const index = await openArchiveIndex(archive, { onNotice: caller.notify })
    try {
      return await work(index)
    } finally {
      await closeIndex(index, caller)
    }
  }

/** A failed save only makes the next search slower, so it does not fail this one. */
async function closeIndex(index: VectorCache, { notify }: Pick<Caller, 'notify'>): Promise<void> {
  try {
    await index.close()
  } catch (error) {
    notify(
      `the vector index was not saved: ${messageOf(error)}`,
      error instanceof CameoError ? error.details : undefined,
    )
  }
}
