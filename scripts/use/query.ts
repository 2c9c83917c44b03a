import { openArchive, type Archive } from '../../index/archive/open-archive.js'
import { CameoError } from '../../pipeline/common/errors.js'
import type { DeviceChoice } from '../../pipeline/models/device.js'
import { createDescriber, type Describer } from '../../pipeline/describe/describe-track.js'
import {
  checkHead,
  loadDescriberHead,
  readHeadFile,
  type HeadFile,
} from '../../pipeline/describe/head/head-file.js'
import { defaultModelsDir } from '../../pipeline/models/packs/models-dir.js'
import { modelLoader } from '../../pipeline/models/model-loader.js'
import type { EmbedderFile } from '../../pipeline/models/packs/encoder-file.js'
import type { Pack } from '../../pipeline/models/packs/pack.js'
import { createRecipe, settingsSchema } from '../../pipeline/recipe/recipe.js'
import { loadStages, type Stages } from '../../pipeline/stages/load-pipeline.js'
import type { ArchiveRecipe } from '../../index/store/meta.js'
import { adviceMessageOf } from '../cli/advice.js'
import { usePack } from '../cli/ensure-pack.js'
import { note } from '../cli/output.js'
import { chooseEncoders } from '../cli/recipe-options.js'

export interface OpenedArchive {
  readonly archive: Archive
  readonly recipe: ArchiveRecipe
}

/** Opens an archive that has clips in it; `open` is another way to do so. Throws ARCHIVE_MISSING. */
export function openFilledArchive(
  dir: string,
  open: (dir: string) => Archive = (at) => openArchive(at, { onNotice: note }),
): OpenedArchive {
  const archive = open(dir)
  const { recipe } = archive
  if (recipe !== undefined) return { archive, recipe }
  archive.close()
  throw new CameoError('ARCHIVE_MISSING', `the archive ${dir} holds no clips yet; ingest some first`, {
    details: { remedy: 'ingest-first', archive: dir },
  })
}

/** The longest command line with which ONNX Runtime 1.30 loads on a main thread's stack: see workers/thread-limits.ts. */
const longestCommandLine = 20_000

/** Embedders of an archive beside its pack's own. */
export const furtherEmbeddersOf = ({ features = [] }: ArchiveRecipe) =>
  features.filter(({ kind }) => kind === 'embedder')

/**
 * The models that an archive was made with, loaded. Throws ARCHIVE_OTHER_RECIPE where the files are others by now.
 * @param wanted `all`: those that its head does not need, too
 */
export async function loadArchiveStages(
  { recipe }: OpenedArchive,
  device: DeviceChoice,
  wanted: 'needed' | 'all' = 'needed',
): Promise<{ readonly stages: Stages; readonly pack: Pack }> {
  if (process.argv.join(' ').length > longestCommandLine)
    throw new CameoError('USAGE', 'too many files for one command: give some of them, then the rest')
  const pack = await usePack(recipe.packName)
  const head = await ownHead(recipe)
  // A head of several embedders describes a photo by all of them.
  const isNeeded = (head?.metadata?.embedders.length ?? 1) > 1
  const embedders = isNeeded || wanted === 'all' ? await ownEmbedders(recipe, isNeeded) : []
  const encoders = { embedders, contexts: [] }
  // Mirror images serve training, not queries.
  const settings = settingsSchema.parse({ ...recipe.settings, keepMirrored: undefined })
  const now = createRecipe(pack, recipe.settings, head?.sha256, encoders)
  if (now.spaceDigest !== recipe.spaceDigest)
    throw new CameoError(
      'ARCHIVE_OTHER_RECIPE',
      `the archive was made with another version of the models ${recipe.packName}: ingest again with --reprocess, or use the Cameo that made it`,
    )
  const stages = await loadStages({
    pack,
    modelsDir: defaultModelsDir(),
    settings,
    device,
    headFile: head?.path,
    encoders,
    intraOpThreads: 0,
  })
  return { stages, pack }
}

/** What turns stored embeddings into a query: no model is loaded for it unless the archive has a head. */
export async function archiveDescriber(
  { recipe }: OpenedArchive,
  pack: Pack,
  device: DeviceChoice,
): Promise<Describer> {
  const file = await ownHead(recipe)
  const { dimension } = pack.embedder
  if (file !== undefined) checkHead(file, recipe)
  const head =
    file === undefined ? undefined : await loadDescriberHead(file, dimension, modelLoader({ device }))
  return createDescriber({ digest: recipe.embedderDigest, dimension }, head)
}

const ownHead = async ({ headFile }: ArchiveRecipe): Promise<HeadFile | undefined> =>
  headFile === undefined ? undefined : readHeadFile(headFile)

async function ownEmbedders(recipe: ArchiveRecipe, areNeeded: boolean): Promise<readonly EmbedderFile[]> {
  try {
    const { embedders } = await chooseEncoders({ context: [] }, recipe)
    return embedders
  } catch (error) {
    if (areNeeded || !(error instanceof CameoError)) throw error
    note(`${adviceMessageOf(error)}; going on without the archive's further embedders`)
    return []
  }
}
