import { existsSync } from 'node:fs'
import { sha256OfFile } from '../../pipeline/common/digest.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { createDescriber } from '../../pipeline/describe/describe-track.js'
import { checkHead, loadDescriberHead, readHeadFile } from '../../pipeline/describe/head/head-file.js'
import type { DeviceChoice } from '../../pipeline/models/device.js'
import { modelLoader } from '../../pipeline/models/model-loader.js'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import type { Pack } from '../../pipeline/models/packs/pack.js'
import { recipeOf } from '../../pipeline/recipe/recipe.js'
import type { Caller } from '../../pipeline/stages/caller.js'
import { lockArchive } from '../store/locks.js'
import type { ArchiveRecipe } from '../store/meta.js'
import { noteDamage, type DamagedThing } from './damaged-things.js'
import type { FilledArchive } from './open-archive.js'
import { redescribe, type Redescribed } from './redescribe.js'

export interface ApplyHeadRequest {
  /** ONNX file of the head. Undefined removes the head of the archive, which then uses plain pooled embeddings. */
  readonly head: string | undefined
  readonly device: DeviceChoice
  readonly signal: AbortSignal
}

/** The result of applying a head to an archive. */
export interface HeadApplied extends Omit<Redescribed, 'damage'> {
  readonly damaged: readonly DamagedThing[]
  /** Dimension of the new descriptors. */
  readonly dimension: number
}

/**
 * Recomputes the descriptors of an archive with a head, from the stored embeddings. No video is read. The archive can
 * be searched at the same time. It stays intact if the process is stopped or killed; the same call then continues.
 * @throws ARCHIVE_BUSY, ARCHIVE_OTHER_RECIPE, HEAD_OTHER_EMBEDDER, HEAD_INVALID, MODEL_UNREADABLE, ERASURE_PENDING
 */
export async function applyHead(
  { archive, recipe: own }: FilledArchive,
  { head: path, device, signal }: ApplyHeadRequest,
  { notify, progress }: Caller,
): Promise<HeadApplied> {
  const lock = lockArchive(archive.dir)
  try {
    const pack = findPack(own.packName)
    await checkPack(pack, own, archive.dir)
    const file = path === undefined ? undefined : await readHeadFile(path)
    if (file !== undefined) checkHead(file, own)
    const { dimension } = pack.embedder
    const load = modelLoader({ device, intraOpThreads: 0 })
    const head = file === undefined ? undefined : await loadDescriberHead(file, dimension, load)
    try {
      const describer = await createDescriber({ digest: own.embedderDigest, dimension }, head)
      const { damage, ...counts } = await redescribe(archive, {
        recipe: recipeOf(pack, own.settings, file?.sha256, own.features ?? []),
        headFile: file?.path,
        dimension: describer.dimension,
        describe: (tracks) => describer.describeAll(tracks),
        signal,
        onProgress: (done, total) => progress({ task: 'describe tracks', done, total }),
        onNotice: notify,
      })
      const damaged = noteDamage(archive, damage, notify)
      return { ...counts, damaged, dimension: describer.dimension }
    } finally {
      await head?.model.dispose()
    }
  } finally {
    lock.release()
  }
}

/**
 * Checks that the models are the ones that the rows were made with, because the rows get the recipe of a new ingest.
 * The old head may be missing.
 * @throws ARCHIVE_OTHER_RECIPE
 */
async function checkPack(pack: Pack, own: ArchiveRecipe, dir: string): Promise<void> {
  const { headFile } = own
  const sha256 = headFile !== undefined && existsSync(headFile) ? await sha256OfFile(headFile) : undefined
  const now = recipeOf(pack, own.settings, sha256, own.features ?? [])
  const isSame =
    now.spaceDigest === own.spaceDigest
      ? now.digest === own.digest
      : headFile !== undefined && now.embedderDigest === own.embedderDigest
  if (!isSame)
    throw new CameoError(
      'ARCHIVE_OTHER_RECIPE',
      `the archive ${dir} was made with another version of the models ${own.packName}: process its clips again, or use the Cameo that made it`,
      { details: { remedy: 'reprocess', archive: dir, differs: 'version' } },
    )
}
