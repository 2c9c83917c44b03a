import { CameoError } from '../../pipeline/common/errors.js'
import { oneLine } from '../../pipeline/common/visible-text.js'
import type { Archive } from '../archive/open-archive.js'
import { clipDateReader } from '../store/clip-dates.js'
import { pathsBelow } from '../store/clip-lookup.js'
import { folderNames, PathScope } from '../store/path-scope.js'

/** Which clips of an archive a question is about. */
export interface ClipScope {
  /** Only clips with a file below this folder or URL. */
  readonly folder?: string | undefined
  /**
   * Besides that, only clips with a file below one of these folders and URLs, and only these files of them. All else answers as if
   * it did not exist. An empty list: no clip. Absent: all clips.
   */
  readonly folders?: readonly string[] | undefined
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

/**
 * Tests the folder and the dates. The folders are those of the archive that is asked: see `inScope`.
 * @throws USAGE as `checkDates` does
 */
export function createScopeTest(
  { database, visible }: Pick<Archive, 'database' | 'visible'>,
  scope: Omit<ClipScope, 'folders'>,
): ScopeTest {
  checkDates(scope)
  const isBelow = folderTest(scope.folder)
  const [sinceMs, untilMs] = [scope.since?.getTime() ?? -Infinity, scope.until?.getTime() ?? Infinity]
  if (scope.since === undefined && scope.until === undefined) return (_clipId, paths) => isBelow(paths)
  const dateOf = clipDateReader(database, visible?.paths)
  return (clipId, paths) => {
    if (!isBelow(paths)) return false
    const dateMs = dateOf(clipId)
    return dateMs !== undefined && dateMs >= sinceMs && dateMs <= untilMs
  }
}

/** Says so where the archive knows of no clip below the folder: it may be mistyped. */
export function tellEmptyFolder(
  { database, visible }: Pick<Archive, 'database' | 'visible'>,
  { folder }: Pick<ClipScope, 'folder'>,
  notify: (notice: string) => void,
): void {
  if (folder === undefined) return
  for (const name of folderNames(folder))
    for (const path of pathsBelow(database, name)) if (visible?.paths.has(path) !== false) return
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
  const scope = new PathScope([folder])
  return (paths) => paths.some((path) => scope.has(path))
}
