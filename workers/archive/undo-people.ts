import { finishErasure } from '../../index/archive/finish-erasure.js'
import type { Archive } from '../../index/archive/open-archive.js'
import { undoChange } from '../../index/people/undo-change.js'
import { lockForErasure } from '../../index/store/locks.js'
import type { PeopleChange } from '../../index/store/people-changes.js'
import { CameoError } from '../../pipeline/common/errors.js'
import type { Caller } from '../../pipeline/stages/caller.js'

/** How long to wait for other processes that read the archive. */
const waitMs = 10_000

/**
 * Undoes a change of people. Faces that it added to a name are erased, also from the archive's files.
 * @throws as `undoChange`
 */
export async function undoPeople(
  archive: Archive,
  changeId: number | undefined,
  { notify }: Pick<Caller, 'notify'>,
): Promise<PeopleChange> {
  const lock = await lockForErasure(archive.dir)
  try {
    const change = undoChange(archive, changeId)
    try {
      await finishErasure(archive, {
        waitMs,
        hasFollower: lock === undefined,
        onWait: notify,
        onNotice: notify,
      })
    } catch (error) {
      // The change is undone; a later call finishes the erasure.
      if (!(error instanceof CameoError) || error.code !== 'ERASURE_PENDING') throw error
      notify(error.message, error.details)
    }
    return change
  } finally {
    lock?.release()
  }
}
