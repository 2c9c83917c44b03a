import { existsSync, realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { quoted } from '../../pipeline/common/display-name.js'
import { CameoError } from '../../pipeline/common/errors.js'
import type { Archive } from '../archive/open-archive.js'
import { findClipId } from '../identities/forget.js'
import { clipIdsAt, clipIdsBeginning } from '../store/clip-lookup.js'
import type { Database } from '../store/sqlite.js'
import { isUrl } from '../store/whole-path.js'

/**
 * The clip that a person means: by its id, its first 8 digits or more, or the path of its file. Ingest follows links, so
 * a file may be known by the path that a link leads to.
 * @throws CLIP_UNKNOWN
 */
export function clipIdOf(database: Database, given: string): string {
  if (!existsSync(given)) return findClipId(database, given)
  const path = resolve(given)
  return findClipId(database, clipIdsAt(database, path).length > 0 ? path : realpathSync(path))
}

/** The same in the part of an archive that may be seen: by its id, the first digits of it, or a path that may be seen. @throws CLIP_UNKNOWN */
export function visibleClipIdOf({ database, files, visible }: Archive, given: string): string {
  if (visible === undefined) return clipIdOf(database, given)
  const isId = /^[0-9a-f]{8,64}$/.test(given)
  const path = isUrl(given) ? given : resolve(given)
  const ids = isId
    ? clipIdsBeginning(database, given).filter((id) => visible.clipIds.has(id))
    : clipIdsAt(database, path).filter((id) => files.pathsOf(id).includes(path))
  const [id, another] = ids
  if (id !== undefined && another === undefined) return id
  throw new CameoError(
    'CLIP_UNKNOWN',
    another === undefined
      ? `the archive has no clip ${quoted(given)}: give its id or its path`
      : `the ids of ${ids.length} clips start with ${quoted(given)}: give more digits`,
  )
}
