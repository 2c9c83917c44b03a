import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { CameoError } from '../../pipeline/common/errors.js'
import { oneLine } from '../../pipeline/common/visible-text.js'
import type { Archive } from '../archive/open-archive.js'
import { clipDateReader } from '../store/clip-dates.js'
import { hasPathBelow } from '../store/clip-lookup.js'
import { isUrl } from '../store/whole-path.js'

/** Which clips of an archive a question is about. */
export interface ClipScope {
  /** Only clips with a file below this folder or URL. */
  readonly folder?: string | undefined
  /**
   * Only clips of this time or later. The date of a clip is when the oldest of its files was last written; of a clip that only
   * workers fetched, when it came into the archive.
   */
  readonly since?: Date | undefined
  /** Only clips of this time or earlier. */
  readonly until?: Date | undefined
}

/** Says of a clip whether it is in the scope. */
export type ScopeTest = (clipId: string, paths: readonly string[]) => boolean

/** @throws USAGE as `checkDates` does */
export function createScopeTest({ database }: Pick<Archive, 'database'>, scope: ClipScope): ScopeTest {
  checkDates(scope)
  const isBelow = folderTest(scope.folder)
  const [sinceMs, untilMs] = [scope.since?.getTime() ?? -Infinity, scope.until?.getTime() ?? Infinity]
  if (scope.since === undefined && scope.until === undefined) return (_clipId, paths) => isBelow(paths)
  const dateOf = clipDateReader(database)
  return (clipId, paths) => {
    if (!isBelow(paths)) return false
    const dateMs = dateOf(clipId)
    return dateMs !== undefined && dateMs >= sinceMs && dateMs <= untilMs
  }
}

/** Says so where the archive knows of no clip below the folder: it may be mistyped. */
export function tellEmptyFolder(
  { database }: Pick<Archive, 'database'>,
  { folder }: ClipScope,
  notify: (notice: string) => void,
): void {
  if (folder === undefined || folderNames(folder).some((name) => hasPathBelow(database, name))) return
  notify(`the archive knows of no clip below ${oneLine(folder)}`)
}

/** @throws USAGE where the scope ends before it begins, or a date is none */
export function checkDates({ since, until }: ClipScope): void {
  if ([since, until].some((date) => date !== undefined && Number.isNaN(date.getTime())))
    throw new CameoError('USAGE', 'a date that limits the clips is not a date')
  if (since !== undefined && until !== undefined && since > until)
    throw new CameoError('USAGE', `no clip is of ${since.toISOString()} or later and of ${until.toISOString()} or earlier`) // prettier-ignore
}

function folderTest(folder: string | undefined): (paths: readonly string[]) => boolean {
  if (folder === undefined) return () => true
  const names = folderNames(folder)
  const starts = names.map((name) => (name.endsWith('/') ? name : `${name}/`))
  return (paths) =>
    paths.some((path) => names.includes(path) || starts.some((start) => path.startsWith(start)))
}

/** Ingest follows links: a folder may be known by the path that a link leads to. */
export const folderNames = (folder: string) =>
  isUrl(folder) ? [folder] : [resolve(folder), realPathOf(folder)]

function realPathOf(folder: string): string {
  try {
    return realpathSync(folder)
  } catch {
    return resolve(folder) // a folder that is not mounted now
  }
}
