import { existsSync, lstatSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { Archive } from '../../index/archive/open-archive.js'
import { isUrl } from '../../index/store/whole-path.js'
import type { Place } from '../../index/store/file-facts.js'
import { mayExist } from './find-clips.js'
import type { MetFiles } from './ingest-events.js'

/**
 * After a complete run, deletes three kinds of records below these folders: files that are gone if their
 * clips also lie elsewhere, failures that did not happen again, and contents that were replaced.
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
      // The path of a failure need not exist: it can be a broken link or a name with escaped bytes.
      if (withoutClip.has(path) || (clipId !== null && existsSync(path))) continue
      const isElsewhere = clipId === null || archive.files.pathsOf(clipId).length > 1
      if (isElsewhere) archive.files.removePath(root.rootId, relativePath)
      else archive.files.setFailure(root.rootId, relativePath, undefined)
    }
  }
  for (const clipId of clipIds) dropMovedPlaces(archive, clipId, withoutClip)
  archive.clips.dropWithoutPath()
}

/**
 * Deletes records of files below a folder that are gone, if their clips also lie elsewhere, and of files without a clip.
 * What is on a file system that is not there at the moment stays.
 */
export function dropGoneFiles(archive: Archive, folder: string): void {
  const { files } = archive
  const root = files.rootFor(folder)
  for (const { relativePath, clipId } of files.pathsBelow(root.rootId, relative(root.path, folder))) {
    const path = join(root.path, relativePath)
    if (mayExist(path)) continue
    const places = clipId === null ? [] : files.placesOf(clipId)
    const isLost =
      clipId === null || (places.length > 1 && places.some((place) => place.path === path && isGone(place)))
    if (isLost) files.removePath(root.rootId, relativePath)
    else files.setFailure(root.rootId, relativePath, undefined)
  }
  archive.clips.dropWithoutPath()
}

/**
 * Deletes the missing places of a content that this run found elsewhere: a file was moved, or a folder was
 * renamed.
 */
function dropMovedPlaces({ files }: Archive, clipId: string, withoutClip: ReadonlySet<string>): void {
  const places = files.placesOf(clipId)
  if (places.length < 2) return
  const moved = places.filter((place) => !withoutClip.has(place.path) && isGone(place))
  if (moved.length === places.length) return
  for (const { rootId, relativePath } of moved) files.removePath(rootId, relativePath)
}

/**
 * True if the file is missing but its file system is present. If a share or a disk is temporarily not
 * mounted, the nearest existing folder is on another device. The target of a broken link may also be on such
 * a device.
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
