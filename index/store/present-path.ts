import { existsSync } from 'node:fs'
import { isUrl } from './whole-path.js'

/** The path at which a clip can be viewed. */
export interface PresentPath {
  readonly path: string
  /** True if no file of the clip exists. `path` is then an earlier path. */
  readonly isMissing: boolean
}

/**
 * The first of a clip's paths that exists. If none exists, the first path. A URL counts as existing without a check.
 */
export function presentPath(paths: readonly string[]): PresentPath | undefined {
  const present = paths.find((path) => isUrl(path) || existsSync(path))
  const path = present ?? paths[0]
  return path === undefined ? undefined : { path, isMissing: present === undefined }
}
