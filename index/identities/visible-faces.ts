import { basename } from 'node:path'
import { isVisible } from '../archive/in-scope.js'
import type { Archive } from '../archive/open-archive.js'
import { clipIdsAt } from '../store/clip-lookup.js'
import { findIdentity } from '../store/identities.js'
import { PathScope } from '../store/path-scope.js'
import { facesOfIdentity } from '../store/reference-faces.js'
import { rootPaths } from '../store/roots.js'

/**
 * What may be told of the file that an enrolled face is from:
 *
 * - of a file or clip that may be seen, its path;
 * - of another file in the folders that were ingested, nothing: the face does not count;
 * - of any other file, as a photo from elsewhere, its name without its folder. Whoever may know of a name may know what it rests on.
 *
 * Faces that do not count still shape the name with which a search compares: that tells nothing of their clips.
 */
export class FaceSources {
  readonly #archive: Archive
  readonly #roots: PathScope

  constructor(archive: Archive) {
    this.#archive = archive
    this.#roots = new PathScope(archive.visible === undefined ? [] : rootPaths(archive.database))
  }

  /** Undefined if the face does not count. */
  shown(source: string): string | undefined {
    const { database, files, visible } = this.#archive
    if (visible?.paths.has(source) !== false) return source
    const clipIds = clipIdsAt(database, source)
    for (const clipId of clipIds) {
      const [path] = isVisible(this.#archive, clipId) ? files.pathsOf(clipId) : []
      if (path !== undefined) return path
    }
    return clipIds.length > 0 || this.#roots.has(source) ? undefined : basename(source)
  }
}

/** Number of a name's faces that count, for the embedder with the most of them. */
export function countVisibleFaces(archive: Archive, name: string): number {
  const identityId = findIdentity(archive.database, name)
  if (identityId === undefined) return 0
  const sources = new FaceSources(archive)
  const faces = new Map<string, number>()
  for (const { embedder, source } of facesOfIdentity(archive.database, identityId))
    if (sources.shown(source) !== undefined) faces.set(embedder, (faces.get(embedder) ?? 0) + 1)
  return Math.max(0, ...faces.values())
}
