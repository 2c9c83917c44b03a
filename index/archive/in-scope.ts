import type { FileStore } from '../store/files.js'
import type { PathScope } from '../store/path-scope.js'
import type { Archive, FilledArchive } from './open-archive.js'

/**
 * The part of an archive that somebody may see: clips with a file below one of the folders, and only these files of them.
 * What is outside answers like what does not exist. The use cases read `visible` for what the database says besides.
 * @param folders absolute folders and URLs; an empty list: nothing is visible; undefined: everything is
 */
export function inScope(archive: Archive, folders: readonly string[] | undefined): Archive {
  if (folders === undefined) return archive
  const visible = archive.visibleClips.below(folders)
  const { dir, database, clips, checkpoints, engines, visibleClips } = archive
  return {
    ...{ dir, database, clips, checkpoints, engines, visibleClips, visible },
    files: filesWithin(archive.files, visible.paths),
    get recipe() {
      return archive.recipe
    },
    close: () => archive.close(),
  }
}

export const filledInScope = (
  { archive, recipe }: FilledArchive,
  folders: readonly string[] | undefined,
): FilledArchive => ({ archive: inScope(archive, folders), recipe })

/** True if a clip may be seen. */
export const isVisible = ({ visible }: Pick<Archive, 'visible'>, clipId: string): boolean =>
  visible === undefined || visible.clipIds.has(clipId)

function filesWithin(files: FileStore, scope: PathScope): FileStore {
  const failures = () => files.failures().filter(({ path }) => scope.has(path))
  return {
    ...files,
    pathsOf: (clipId) => files.pathsOf(clipId).filter((path) => scope.has(path)),
    placesOf: (clipId) => files.placesOf(clipId).filter(({ path }) => scope.has(path)),
    damagedPaths: () => files.damagedPaths().filter((path) => scope.has(path)),
    failures,
    countFailed: () => failures().length,
  }
}
