import { existsSync } from 'node:fs'
import { join } from 'node:path'
import envPaths from 'env-paths'
import { modelsOf, type Pack } from './pack.js'

/** `CAMEO_MODELS`, or a folder of the user's cache. */
export function defaultModelsDir(environment: NodeJS.ProcessEnv = process.env): string {
  const given = environment['CAMEO_MODELS']
  return given === undefined || given === '' ? join(envPaths('cameo', { suffix: '' }).cache, 'models') : given
}

/** Of a pack's files; an ensemble's lie in its members' folders. */
export function packDir(pack: Pack, modelsDir: string): string {
  return join(modelsDir, pack.name)
}

/** True where every file of the pack lies in the cache; `pullPack` and loading check the digests. */
export function packIsPresent(pack: Pack, modelsDir: string): boolean {
  return modelsOf(pack).every(({ file, folder }) => existsSync(join(modelsDir, folder, file.name)))
}
