import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Archive } from '../index/archive.js'

/**
 * After a whole run: drops what is recorded of files that are gone from these folders, where their clips lie elsewhere too,
 * of failures that the run did not meet again, and of contents that were replaced. @param withoutClip as `ingestClips` returned them
 */
export function dropGonePaths(
  archive: Archive,
  folders: readonly string[],
  withoutClip: ReadonlySet<string>,
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
  archive.clips.dropWithoutPath()
}
