import { existsSync, realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { findClipId } from '../identities/forget.js'
import { clipIdsAt } from '../store/clip-lookup.js'
import type { Database } from '../store/sqlite.js'

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
