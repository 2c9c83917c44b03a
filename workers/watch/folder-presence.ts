import { readdir, stat } from 'node:fs/promises'
import { relative } from 'node:path'
import type { Archive } from '../../index/archive/open-archive.js'
import { hasPathBelow } from '../../index/store/clip-lookup.js'

/**
 * Whether a watched folder is there. Where a disk or a share was mounted, an empty folder can be left: it is away, too,
 * and not a folder whose files were all deleted.
 */
export class FolderPresence {
  readonly folder: string
  #isAway = false
  /** The device of the folder when it last held something. */
  #device: string | undefined

  /** @param device of files in it that the archive knows of */
  constructor(folder: string, device: string | undefined) {
    this.folder = folder
    this.#device = device
  }

  get isAway(): boolean {
    return this.#isAway
  }

  /** Looks at the folder. Says what has changed. */
  async look(): Promise<'away' | 'back' | undefined> {
    const isThere = await this.#isThere()
    if (isThere === !this.#isAway) return undefined
    this.#isAway = !isThere
    return isThere ? 'back' : 'away'
  }

  async #isThere(): Promise<boolean> {
    try {
      const device = `${(await stat(this.folder, { bigint: true })).dev}`
      const isEmpty = (await readdir(this.folder)).length === 0
      if (isEmpty) return this.#device === undefined || this.#device === device
      this.#device = device
      return true
    } catch {
      return false
    }
  }
}

/** The device of a file below a folder, as an archive knows it. */
export function knownDeviceBelow({ database, files }: Archive, folder: string): string | undefined {
  if (!hasPathBelow(database, folder)) return undefined
  const root = files.rootFor(folder)
  for (const { relativePath, clipId } of files.pathsBelow(root.rootId, relative(root.path, folder))) {
    if (clipId === null) continue
    const place = files
      .placesOf(clipId)
      .find((own) => own.rootId === root.rootId && own.relativePath === relativePath)
    if (place !== undefined) return place.device
  }
  return undefined
}
