import { existsSync, lstatSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { Archive } from '../../index/archive/open-archive.js'
import { isUrl } from '../../index/store/whole-path.js'
import type { Place } from '../../index/store/file-facts.js'
import type { MetFiles } from './ingest-events.js'

/**
 * After a whole run: drops what is recorded of files that are gone from these folders, where their clips lie elsewhere too,
 * of failures that the run did not meet again, and of contents that were replaced.
 */
export function dropGonePaths(
  archive: Archive,
  folders: readonly string[],
  { clipIds, withoutClip }: MetFiles,
): void {
  for (const folder of folders) {
    const root = archive.files.rootFor(folder)
    const prefix = relative(root.path, folder)
    for (const { relativePath, clipId } of archive.files.pathsBelow(root.rootId, prefix)) {
      const path = join(root.path, relativePath)
      // The name of a failure need not exist: a link to nothing, bytes shown escaped.
      if (withoutClip.has(path) || (clipId !== null && existsSync(path))) continue
      const isElsewhere = clipId === null || archive.files.pathsOf(clipId).length > 1
      if (isElsewhere) archive.files.removePath(root.rootId, relativePath)
      else archive.files.setFailure(root.rootId, relativePath, undefined)
    }
  }
  for (const clipId of clipIds) dropMovedPlaces(archive, clipId, withoutClip)
  archive.clips.dropWithoutPath()
}

/** Where a content that was met now lay before, wherever that is: a file was moved, or a folder renamed. */
function dropMovedPlaces({ files }: Archive, clipId: string, withoutClip: ReadonlySet<string>): void {
  const places = files.placesOf(clipId)
  if (places.length < 2) return
  const moved = places.filter((place) => !withoutClip.has(place.path) && isGone(place))
  if (moved.length === places.length) return
  for (const { rootId, relativePath } of moved) files.removePath(rootId, relativePath)
}

/**
 * True where the file is not there, and the file system that it was on is. Of a share or a disk that is away for a moment the
 * nearest folder that is left is on another device; what is behind a link to nothing may be on one, too.
 */
function isGone({ path, device }: Place): boolean {
  if (isUrl(path)) return false
  try {
    if (isThere(path)) return false
    let folder = dirname(path)
    while (!isThere(folder)) folder = dirname(folder)
    return `${statSync(folder, { bigint: true }).dev}` === device
  } catch {
    return false
  }
}

const isThere = (path: string) => lstatSync(path, { throwIfNoEntry: false }) !== undefined
