import { withModels } from '../../index/archive/archive-models.js'
import type { Archive } from '../../index/archive/open-archive.js'
import { ErasureProof } from '../../index/erasure/prove-erasure.js'
import { eraseReturned } from '../../index/retention/unnamed-tracks.js'
import { hasFollower } from '../../index/store/locks.js'
import { clipsWithReturned } from '../../index/store/retention.js'
import { counted } from '../../pipeline/common/counted.js'
import { CameoError } from '../../pipeline/common/errors.js'
import type { Caller } from '../../pipeline/stages/caller.js'
import { finishWithReceipt } from './finish-with-receipt.js'

/**
 * After an ingest: clips from which people without names were erased may have been processed again, for example with other
 * settings. Erases those people again. If that fails, the caller is told, and the next ingest tries again.
 */
export async function eraseReturnedPeople(archive: Archive, caller: Caller): Promise<void> {
  const { recipe, dir } = archive
  if (recipe === undefined || clipsWithReturned(archive.database).length === 0) return
  const opened = { archive, recipe }
  const { notify } = caller
  const proof = ErasureProof.begin(archive, {}, notify)
  try {
    const clips = new Set<string>()
    const tracks = await withModels(opened, { device: { kind: 'cpu' } }, caller, (models) =>
      eraseReturned({ opened, models }, (clipId, trackIds) => {
        proof?.things.addUnnamed(clipId, trackIds)
        clips.add(clipId)
      }),
    )
    if (tracks === 0) return
    notify(
      `${counted(tracks, 'track')} of people without names had come back when clips were processed again; they were erased`,
    )
    const { pending } = await finishWithReceipt(
      archive,
      proof,
      {
        ...{ kind: 'unnamed-people', count: clips.size, action: 'forget-unnamed' },
        ...{ checkpointFolder: false, waitMs: 0 },
      },
      { waitMs: 0, hasFollower: hasFollower(dir), notify },
    )
    if (pending !== undefined) notify(pending.message, pending.details)
  } catch (error) {
    if (!(error instanceof CameoError)) throw error
    notify(
      `people without names came back when clips were processed again, and could not be erased; the next ingest tries again: ${error.message}`,
      error.details,
    )
  } finally {
    proof?.close()
  }
}
