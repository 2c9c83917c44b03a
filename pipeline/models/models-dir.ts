import { join } from 'node:path'
import envPaths from 'env-paths'
import type { Pack } from './pack.js'

/** `CAMEO_MODELS`, or a folder of the user's cache. */
export function defaultModelsDir(environment: NodeJS.ProcessEnv = process.env): string {
  const given = environment['CAMEO_MODELS']
  return given === undefined || given === '' ? join(envPaths('cameo', { suffix: '' }).cache, 'models') : given
}

export function packDir(pack: Pack, modelsDir: string): string {
  return join(modelsDir, pack.name)
}
