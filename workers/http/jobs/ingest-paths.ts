import { realpath } from 'node:fs/promises'
import { resolve } from 'node:path'
import { isBelowAny, isUrl, pathBelow } from '../../../index/store/whole-path.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import { oneLine } from '../../../pipeline/common/visible-text.js'

/** Where clips may be ingested from. */
export interface IngestScope {
  /** Folders that the operator allows, and folders that were ingested before. */
  readonly roots: readonly string[]
  /** What the asker sees of the archive. */
  readonly folders: readonly string[] | 'all'
}

/** What somebody may ingest. */
export interface AllowedIngest {
  /** Absolute paths, as they were asked for. */
  readonly paths: readonly string[]
  /** Real folders. Links that lead out of them are not followed. */
  readonly within: readonly string[]
}

/**
 * Checks what somebody wants to ingest.
 * @throws CLIP_NOT_ALLOWED, also about a path that is a link out of the allowed folders; CLIP_GONE if nothing is there
 */
export async function allowedIngest(
  paths: readonly string[],
  { roots, folders }: IngestScope,
): Promise<AllowedIngest> {
  const written = localFolders(roots)
  const real = await realFolders(written)
  const within = folders === 'all' ? real : inBoth(real, await realFolders(localFolders(folders)))
  const checked = paths.map(async (path) => {
    const refused = () =>
      new CameoError(
        'CLIP_NOT_ALLOWED',
        `${oneLine(path)} is not in a folder from which this server may ingest`,
      )
    if (isUrl(path) || !path.startsWith('/')) throw refused()
    const whole = resolve(path)
    if (!isBelowAny([...written, ...real], whole)) throw refused()
    if (folders !== 'all' && !isBelowAny(folders, whole)) throw refused()
    const found = await realpath(whole).catch((cause: unknown) => {
      throw new CameoError('CLIP_GONE', `there is no file or folder ${oneLine(path)}`, { cause })
    })
    if (!isBelowAny(within, found)) throw refused()
    return whole
  })
  return { paths: await Promise.all(checked), within }
}

const localFolders = (folders: readonly string[]) =>
  folders.filter((folder) => !isUrl(folder)).map((folder) => resolve(folder))

const realFolders = (folders: readonly string[]) =>
  Promise.all(folders.map((folder) => realpath(folder).catch(() => folder)))

/** The folders that lie in one of both lists each: of two that lie in each other, the inner one. */
const inBoth = (some: readonly string[], others: readonly string[]): string[] =>
  some.flatMap((folder) =>
    others.flatMap((other) => {
      if (pathBelow(folder, other) !== undefined) return other
      return pathBelow(other, folder) === undefined ? [] : folder
    }),
  )
