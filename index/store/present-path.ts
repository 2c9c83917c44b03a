import { existsSync } from 'node:fs'
import { isUrl } from './whole-path.js'

/** Where a clip can be looked at. */
export interface PresentPath {
  readonly path: string
  /** No file of the clip is where it was: `path` is where one was once. */
  readonly isMissing: boolean
}

/** The first of a clip's paths that is there at the moment, else the first. Whether a URL is there is not asked. */
export function presentPath(paths: readonly string[]): PresentPath | undefined {
  const present = paths.find((path) => isUrl(path) || existsSync(path))
  const path = present ?? paths[0]
  return path === undefined ? undefined : { path, isMissing: present === undefined }
}
