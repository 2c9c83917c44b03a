import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { isWhole } from './checksum.js'
import { isUrl, wholePathSql } from './whole-path.js'

/** Ingest follows links: a folder may be known by the path that a link leads to. */
export const folderNames = (folder: string): string[] =>
  isUrl(folder) ? [folder] : [...new Set([resolve(folder), realPathOf(folder)])]

function realPathOf(folder: string): string {
  try {
    return realpathSync(folder)
  } catch {
    return resolve(folder) // a folder that is not mounted now
  }
}

/** Folders and URLs, each as files below it begin. */
export const startsOf = (folders: readonly string[]): string =>
  JSON.stringify(folders.map((folder) => (folder.endsWith('/') ? folder : `${folder}/`)))

/** True if the path, from `paths JOIN roots USING (root_id)`, is below one of the folders in a JSON list: see `startsOf`. */
export const isPathBelowSql = (startsParameter: string) =>
  `EXISTS (SELECT 1 FROM json_each(${startsParameter}) start
    WHERE substr(${wholePathSql}, 1, length(start.value)) = start.value OR ${wholePathSql} || '/' = start.value)`

/** A path in an intact row. */
export const isWholePathSql = `${isWhole('paths')} AND ${isWhole('roots')}`

/** The files below some folders and URLs; none if there is no folder. */
export class PathScope {
  readonly #names: readonly string[]
  readonly #starts: readonly string[]
  /** See `startsOf`. */
  readonly startsJson: string

  constructor(folders: readonly string[]) {
    this.#names = folders.flatMap(folderNames)
    this.#starts = this.#names.map((name) => (name.endsWith('/') ? name : `${name}/`))
    this.startsJson = startsOf(this.#names)
  }

  has(path: string): boolean {
    return this.#names.includes(path) || this.#starts.some((start) => path.startsWith(start))
  }
}
