import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Archive, FilledArchive } from '../../index/archive/open-archive.js'
import { removeLastAnswer } from '../../index/editing/last-answer.js'
import { vectorsOf } from '../../index/erasure/erased-things.js'
import { ErasureProof, type ErasureOrder } from '../../index/erasure/prove-erasure.js'
import type { Receipt } from '../../index/erasure/receipt.js'
import { forgetFace, rowsOfFace } from '../../index/identities/enrolled-faces.js'
import { findClipId, forgetClip, lossOf } from '../../index/identities/forget.js'
import { forgetName, knownName } from '../../index/identities/identities.js'
import { lockForErasure } from '../../index/store/locks.js'
import { counted } from '../../pipeline/common/counted.js'
import type { CameoError } from '../../pipeline/common/errors.js'
import { oneLine } from '../../pipeline/common/visible-text.js'
import type { Caller } from '../../pipeline/stages/caller.js'
import { openCheckpointFolder } from '../checkpoints/checkpoint-folder.js'
import { finishWithReceipt } from './finish-with-receipt.js'

export type ForgetRequest = {
  /** How long to wait for other processes that read the archive. */
  readonly waitMs: number
  /** Who erases, and why: for the audit log. */
  readonly order?: ErasureOrder | undefined
} & (
  | {
      /** Id of the clip, its first digits, or the path of its file. */
      readonly clip: string
      /** Folder in which faces workers on this machine keep checkpoints, which hold pixels of faces. */
      readonly checkpointsDir?: string | undefined
    }
  | { readonly name: string; readonly face?: number | undefined }
)

/** What was forgotten. */
export type Forgotten =
  | {
      readonly forgotten: 'clip'
      readonly clipId: string
      readonly paths: readonly string[]
      /** Names that lost faces. */
      readonly names: readonly string[]
    }
  | { readonly forgotten: 'name'; readonly name: string }
  | {
      readonly forgotten: 'face'
      readonly name: string
      readonly face: number
      readonly source: string
      /** Number of faces that the name still has. With the last face the name is erased, too. */
      readonly left: number
    }

/** The result of an erasure. */
export interface ForgetReport {
  readonly forgotten: Forgotten
  /**
   * ERASURE_PENDING: no search finds the erased data, but its bytes are still in a file that another process
   * reads.
   */
  readonly pending: CameoError | undefined
  /** The signed proof. Undefined if the audit log could not be written. */
  readonly receipt: Receipt | undefined
}

/**
 * Erases a clip with all its faces, a name with all its faces, or one face of a name. Their rows and vectors
 * are overwritten in the archive's files; the video file stays.
 * @throws CLIP_UNKNOWN, NAME_UNKNOWN, FACE_UNKNOWN, ARCHIVE_BUSY
 */
export async function forget(
  { archive, recipe }: FilledArchive,
  request: ForgetRequest,
  { notify }: Caller,
): Promise<ForgetReport> {
  const { waitMs, order = {} } = request
  const lock = await lockForErasure(archive.dir)
  const proof = ErasureProof.begin(archive, order, notify)
  try {
    const forgotten =
      'clip' in request
        ? eraseClip(archive, request, proof, notify)
        : eraseName(archive, recipe.embedderDigest, request, proof)
    // It may tell of what is forgotten.
    removeLastAnswer(archive.dir)
    const hasFollower = lock === undefined
    const { pending, receipt } = await finishWithReceipt(
      archive,
      proof,
      {
        ...{ kind: forgotten.forgotten, count: 1, action: `forget-${forgotten.forgotten}`, waitMs },
        checkpointFolder: 'clip' in request && request.checkpointsDir !== undefined,
      },
      { waitMs, hasFollower, notify },
    )
    return { forgotten, pending, receipt }
  } finally {
    proof?.close()
    lock?.release()
  }
}

/** Reports what will be erased, then erases it. */
function eraseClip(
  { database }: Archive,
  { clip, checkpointsDir }: Extract<ForgetRequest, { clip: string }>,
  proof: ErasureProof | undefined,
  notify: Caller['notify'],
): Forgotten {
  const clipId = findClipId(database, existsSync(clip) ? resolve(clip) : clip)
  const { paths, names } = lossOf(database, clipId)
  notify(`forgetting the content of ${counted(paths.length, 'file')} (the files stay):`)
  for (const path of paths) notify(`  ${oneLine(path)}`)
  for (const name of names) notify(`and the faces of "${oneLine(name)}" that were enrolled from it`)
  proof?.things.addClip(clipId, names)
  const loss = forgetClip(database, clipId)
  if (checkpointsDir !== undefined) openCheckpointFolder(resolve(checkpointsDir), notify).forget(clipId)
  return { forgotten: 'clip', clipId, ...loss }
}

function eraseName(
  { database }: Archive,
  embedderDigest: string,
  { name: given, face }: Extract<ForgetRequest, { name: string }>,
  proof: ErasureProof | undefined,
): Forgotten {
  const name = knownName(database, given)
  if (face !== undefined) {
    proof?.things.addFace(name, vectorsOf(rowsOfFace(database, name, embedderDigest, face)))
    return { forgotten: 'face', name, face, ...forgetFace(database, name, embedderDigest, face) }
  }
  proof?.things.addName(name)
  forgetName(database, name)
  return { forgotten: 'name', name }
}
