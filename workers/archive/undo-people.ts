import type { Archive } from '../../index/archive/open-archive.js'
import { vectorsOf } from '../../index/erasure/erased-things.js'
import { ErasureProof, type ErasureOrder } from '../../index/erasure/prove-erasure.js'
import { facesOfChange, undoChange } from '../../index/people/undo-change.js'
import { lockForErasure } from '../../index/store/locks.js'
import type { PeopleChange } from '../../index/store/people-changes.js'
import type { Caller } from '../../pipeline/stages/caller.js'
import { finishWithReceipt } from './finish-with-receipt.js'
import { finishOrPending } from './finish-or-pending.js'

/** How long to wait for other processes that read the archive. */
const waitMs = 10_000

/** How many faces these are: each has an embedding by each embedder. */
function facesIn(erased: ReturnType<typeof facesOfChange>): number {
  const byEmbedder = new Map<string, number>()
  for (const { embedder } of erased.flatMap(({ faces }) => faces))
    byEmbedder.set(embedder, (byEmbedder.get(embedder) ?? 0) + 1)
  return Math.max(...byEmbedder.values())
}

/**
 * Undoes a change of people. Faces that it added to a name are erased, also from the archive's files, and the audit log gets the
 * receipt of that.
 * @param order who undoes it, and why
 * @throws as `undoChange`
 */
export async function undoPeople(
  archive: Archive,
  changeId: number | undefined,
  { notify }: Pick<Caller, 'notify'>,
  order: ErasureOrder = {},
): Promise<PeopleChange> {
  const lock = await lockForErasure(archive.dir)
  let proof: ErasureProof | undefined
  try {
    const erased = facesOfChange(archive, changeId)
    if (erased.length > 0) proof = ErasureProof.begin(archive, order, notify)
    for (const { name, faces } of erased) proof?.things.addFace(name, vectorsOf(faces))
    const change = undoChange(archive, changeId)
    const request = { waitMs, hasFollower: lock === undefined, notify }
    const { pending } =
      erased.length === 0
        ? { pending: await finishOrPending(archive, request) }
        : await finishWithReceipt(
            archive,
            proof,
            {
              ...{ kind: 'face', count: facesIn(erased), action: 'forget-face' },
              ...{ checkpointFolder: false, waitMs },
            },
            request,
          )
    // The change is undone; a later call finishes the erasure.
    if (pending !== undefined) notify(pending.message, pending.details)
    return change
  } finally {
    proof?.close()
    lock?.release()
  }
}
