import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'

/**
 * The development photos, videos and models: `CAMEO_TEST_DATA`, else ../shared. Throws if they are missing.
 */
export function testDataDir(): string {
  const dir = resolve(process.env['CAMEO_TEST_DATA'] ?? '../shared')
  for (const part of ['data/people', 'data/videos', 'models'])
    if (!existsSync(join(dir, part)))
      throw new Error(
        `${join(dir, part)} is missing: set CAMEO_TEST_DATA to the folder that holds data/ and models/`,
      )
  return dir
}
