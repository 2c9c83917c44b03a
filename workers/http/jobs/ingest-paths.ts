import { realpath } from 'node:fs/promises'
import { resolve } from 'node:path'
import { isUrl, pathBelow } from '../../../index/store/whole-path.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import { oneLine } from '../../../pipeline/common/visible-text.js'

/** Where clips may be ingested from. */
export interface IngestScope {
  /** Folders that the operator allows, and folders that were ingested before. */
  readonly roots: readonly string[]
  /** What the asker sees of the archive. */
  readonly folders: readonly string[] | 'all'
}

/**
 * The absolute paths that somebody wants to ingest. Links that lead out of the allowed folders are refused.
 * @throws CLIP_NOT_ALLOWED; CLIP_GONE if nothing is there
 */
export async function allowedPaths(
  paths: readonly string[],
  { roots, folders }: IngestScope,
): Promise<readonly string[]> {
  const own = roots.filter((root) => !isUrl(root)).map((root) => resolve(root))
  const real = await Promise.all(own.map((root) => realpath(root).catch(() => root)))
  return Promise.all(
    paths.map(async (path) => {
      const refused = () =>
        new CameoError(
          'CLIP_NOT_ALLOWED',
          `${oneLine(path)} is not in a folder from which this server may ingest`,
        )
      if (isUrl(path) || !path.startsWith('/')) throw refused()
      const whole = resolve(path)
      if (!isBelow([...own, ...real], whole)) throw refused()
      if (folders !== 'all' && !isBelow(folders, whole)) throw refused()
      const found = await realpath(whole).catch((cause: unknown) => {
        throw new CameoError('CLIP_GONE', `there is no file or folder ${oneLine(path)}`, { cause })
      })
      if (!isBelow(real, found)) throw refused()
      return whole
    }),
  )
}

const isBelow = (folders: readonly string[], path: string) =>
  folders.some((folder) => pathBelow(folder, path) !== undefined)
