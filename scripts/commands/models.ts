import { Command } from 'commander'
import {
  catalogEnsembles,
  catalogPacks,
  defaultPackName,
  findPack,
} from '../../pipeline/models/packs/catalog.js'
import { defaultModelsDir, packDir, packIsPresent } from '../../pipeline/models/packs/models-dir.js'
import { pullWithProgress } from '../cli/caller.js'
import { jsonOption } from '../cli/options.js'
import { exitCodes, print, printJson } from '../cli/output.js'

export const modelsCommand = new Command('models').description('Model packs: list them, fetch one.')

modelsCommand
  .command('list')
  .description('List the known packs, their licences, and which are on this machine.')
  .addOption(jsonOption())
  .action(({ json }: { json: boolean }) => {
    const modelsDir = defaultModelsDir()
    const known = [...catalogPacks(), ...catalogEnsembles.map(findPack)]
    const packs = known.map((pack) => ({
      name: pack.name,
      default: pack.name === defaultPackName,
      licence: pack.licence,
      detector: pack.detector.file.name,
      embedder: (pack.members ?? [pack]).map(({ embedder }) => embedder.file.name).join('+'),
      dimension: pack.embedder.dimension,
      calibrated: pack.calibration !== undefined,
      present: packIsPresent(pack, modelsDir),
    }))
    if (json) printJson({ modelsDir, packs })
    else {
      for (const pack of packs)
        print(
          `${pack.present ? '✓' : ' '} ${pack.name.padEnd(11)} ${pack.licence.padEnd(24)} ${pack.detector} + ${pack.embedder}${pack.default ? '  (default)' : ''}`,
        )
      print(`folder: ${modelsDir}`)
    }
    process.exitCode = exitCodes.ok
  })

modelsCommand
  .command('pull')
  .description('Fetch a pack and verify its files. Does nothing if all files are here and intact.')
  .argument('[pack]', 'name, or a JSON file of your own', defaultPackName)
  .addOption(jsonOption())
  .action(async (nameOrFile: string, { json }: { json: boolean }) => {
    const pack = findPack(nameOrFile)
    await pullWithProgress(pack)
    const modelsDir = defaultModelsDir()
    // An ensemble's files lie in the folders of its members.
    const folder = pack.members === undefined ? packDir(pack, modelsDir) : modelsDir
    if (json) printJson({ name: pack.name, licence: pack.licence, folder })
    else print(`${nameOrFile} is here and verified`)
    process.exitCode = exitCodes.ok
  })
