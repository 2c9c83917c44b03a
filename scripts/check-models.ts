import type { ArchiveRecipe } from '../index/store/meta.js'
import { CameoError } from '../pipeline/errors.js'
import { readHeadFile, type HeadFile } from '../pipeline/head/head-file.js'
import { defaultPackName, findPack } from '../pipeline/models/catalog.js'
import type { DeviceChoice } from '../pipeline/models/device.js'
import { pullPack } from '../pipeline/models/download.js'
import { noEncoders, type ExtraEncoders } from '../pipeline/models/encoder-file.js'
import { defaultModelsDir, packIsPresent } from '../pipeline/models/models-dir.js'
import type { Pack } from '../pipeline/models/pack.js'
import { defaultSettings, featuresOf, recipeOf } from '../pipeline/settings.js'
import { loadStages } from '../pipeline/stages.js'
import { chooseEncoders } from './recipe-options.js'

interface Files {
  readonly pack: Pack
  readonly head: HeadFile | undefined
  readonly encoders: ExtraEncoders
}

/**
 * Verifies and loads the models that an archive was made with, its head and encoders among them, or the default pack where
 * there are no clips yet. Says which work; the default pack may be absent, for it is fetched when it is needed.
 * @throws ARCHIVE_OTHER_RECIPE where the files are others by now; as finding and loading them does
 */
export async function checkModels(own: ArchiveRecipe | undefined, device: DeviceChoice): Promise<string> {
  const packName = own?.packName ?? defaultPackName
  const files: Files = {
    pack: findPack(packName),
    head: own?.headFile === undefined ? undefined : await readHeadFile(own.headFile),
    encoders: own === undefined ? noEncoders : await chooseEncoders({}, own),
  }
  if (own !== undefined) checkUnchanged(files, own)
  const { pack, head, encoders } = files
  const modelsDir = defaultModelsDir()
  if (!packIsPresent(pack, modelsDir)) {
    if (pack.name === defaultPackName) return `${pack.name} is not here yet; it is fetched when it is needed`
    throw new CameoError(
      'MODEL_UNREADABLE',
      `the model pack ${pack.name} is not in ${modelsDir}: run "cameo models pull ${packName}"`,
    )
  }
  await pullPack(pack, { modelsDir })
  const settings = own?.settings ?? defaultSettings
  const stages = await loadStages({ pack, modelsDir, settings, device, headFile: head?.path, encoders })
  await stages.dispose()
  return `${namesOf(files).join(', ')} in ${modelsDir}, on ${stages.provider}`
}

function checkUnchanged(files: Files, own: ArchiveRecipe): void {
  const { digest, settings, features = [] } = own
  const known = new Set(features.map((feature) => feature.digest))
  const areKnown = featuresOf(files.encoders, settings).every((feature) => known.has(feature.digest))
  if (!areKnown || recipeOf(files.pack, settings, files.head?.sha256, features).digest !== digest)
    throw new CameoError(
      'ARCHIVE_OTHER_RECIPE',
      `the archive was made with another version of the models than is here (${namesOf(files).join(', ')}): ` +
        'put the former files back, or ingest again with --reprocess',
    )
}

const namesOf = ({ pack, head, encoders }: Files) => [
  pack.name,
  ...(head === undefined ? [] : [`head ${head.path}`]),
  ...[...encoders.embedders, ...encoders.contexts].map(({ name }) => name),
]
