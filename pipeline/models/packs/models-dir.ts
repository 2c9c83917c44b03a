import { existsSync } from 'node:fs'
import { join } from 'node:path'
import envPaths from 'env-paths'
import { modelsOf, type Pack } from './pack.js'

/** `CAMEO_MODELS`, or a folder in the user's cache. */
export function defaultModelsDir(environment: NodeJS.ProcessEnv = process.env): string {
  const given = environment['CAMEO_MODELS']
  return given === undefined || given === '' ? join(envPaths('cameo', { suffix: '' }).cache, 'models') : given
}

/** The folder of a pack's files. The files of an ensemble are in its members' folders. */
export function packDir(pack: Pack, modelsDir: string): string {
  return join(modelsDir, pack.name)
}

/** True if every file of the pack is in the cache. `pullPack` and loading check the digests. */
export function packIsPresent(pack: Pack, modelsDir: string): boolean {
  return modelsOf(pack).every(({ file, folder }) => existsSync(join(modelsDir, folder, file.name)))
}
