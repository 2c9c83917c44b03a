import { basename, join } from 'node:path'
import { watch, type FSWatcher } from 'chokidar'
import { messageOf } from '../../pipeline/common/errors.js'

/**
 * Paths below watched folders at which something happened, as the operating system tells it. They are only hints: some
 * may be missing, for example on a network share, and a search of the folders finds the rest.
 */
export class FolderHints {
  readonly #watcher: FSWatcher
  #paths = new Set<string>()
  #isClosed = false

  /**
   * Watches folders alone: their events tell of the files in them, and a watch of each file would use up what the system
   * grants to a user.
   * @param excluded folders that are not entered
   * @param onTrouble called once if something cannot be watched
   */
  constructor(folders: readonly string[], excluded: readonly string[], onTrouble: (text: string) => void) {
    const roots = new Set(folders)
    const isHidden = (path: string) => basename(path).startsWith('.') && !roots.has(path)
    this.#watcher = watch([...folders], {
      ignored: (path, stats) => stats?.isFile() === true || excluded.includes(path) || isHidden(path),
      ignoreInitial: true,
    })
    let hasTold = false
    this.#watcher
      .on('raw', (_event, name, details) => this.#noteRaw(name, details))
      .on('addDir', (path) => this.#paths.add(path))
      .on('unlinkDir', (path) => this.#paths.add(path))
      .on('error', (error) => {
        if (!hasTold && !this.#isClosed) onTrouble(messageOf(error))
        hasTold = true
      })
  }

  /** Resolves when every folder is watched. */
  async ready(): Promise<void> {
    await new Promise<void>((resolve) => this.#watcher.once('ready', resolve))
  }

  /** The paths since the last call. */
  take(): readonly string[] {
    const paths = [...this.#paths]
    this.#paths = new Set()
    return paths
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#watcher.close()
  }

  /** Chokidar's own events tell only of the folders. */
  #noteRaw(name: unknown, details: unknown): void {
    const folder = details instanceof Object && 'watchedPath' in details ? details.watchedPath : undefined
    if (typeof folder === 'string' && typeof name === 'string') this.#paths.add(join(folder, name))
  }
}
