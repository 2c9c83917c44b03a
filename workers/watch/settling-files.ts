import type { FileStamp } from '../../index/store/file-facts.js'
import { stampOf } from '../ingest/file-stamp.js'
import type { FoundClip } from '../ingest/ingest-jobs.js'

/** What is asked of files and clocks. Tests have their own. */
export interface SettlingTools {
  /** Throws if the file is gone. */
  readonly stampOf: (path: string) => FileStamp
  readonly nowMs: () => number
}

/** A file that may still be written, and how it looked since a time. */
interface Settling {
  readonly file: FoundClip
  readonly version: string
  readonly sinceMs: number
}

/** A version of a file. */
const versionOf = ({ inode, sizeBytes, mtimeNs, ctimeNs = '' }: FileStamp) =>
  [inode, sizeBytes, mtimeNs, ctimeNs].join(' ')

/**
 * Files of a watched folder, until they have not changed for a while. Each version of a file is given out once. The clock of
 * a file server may be wrong, so times of files are only compared with each other.
 */
export class SettlingFiles {
  readonly #stableMs: number
  readonly #tools: SettlingTools
  readonly #settling = new Map<string, Settling>()
  /** The version of each file that was given out. */
  readonly #given = new Map<string, string>()

  constructor(stableMs: number, tools: SettlingTools = { stampOf, nowMs: () => performance.now() }) {
    this.#stableMs = stableMs
    this.#tools = tools
  }

  /** Number of files that wait. */
  get size(): number {
    return this.#settling.size
  }

  /** Takes a file, unless this version of it was given out or waits. */
  offer(file: FoundClip): void {
    const { path } = file
    const version = this.#look(path)
    if (version === undefined || this.#given.get(path) === version) return
    if (this.#settling.get(path)?.version === version) return
    this.#settling.set(path, { file, version, sinceMs: this.#tools.nowMs() })
  }

  /** Gives out files that have not changed for long enough, in the order in which they came. */
  take(limit: number): FoundClip[] {
    const taken: FoundClip[] = []
    for (const [path, settling] of this.#settling) {
      if (taken.length === limit) break
      const nowMs = this.#tools.nowMs()
      if (nowMs - settling.sinceMs < this.#stableMs) continue
      const version = this.#look(path)
      if (version === undefined) this.#settling.delete(path)
      else if (version !== settling.version)
        this.#settling.set(path, { ...settling, version, sinceMs: nowMs })
      else {
        this.#settling.delete(path)
        this.#given.set(path, version)
        taken.push(settling.file)
      }
    }
    return taken
  }

  /** The files could not be used now: they are given out again. */
  putBack(files: readonly FoundClip[]): void {
    for (const file of files) {
      this.#given.delete(file.path)
      this.offer(file)
    }
  }

  /** The file may be given out again, though it has not changed. */
  forget(path: string): void {
    this.#given.delete(path)
  }

  /** Files that were given out, and that pass a test. */
  *given(test: (path: string) => boolean): Generator<string> {
    for (const path of this.#given.keys()) if (test(path)) yield path
  }

  /** Undefined if the file is gone. */
  #look(path: string): string | undefined {
    try {
      return versionOf(this.#tools.stampOf(path))
    } catch {
      return undefined
    }
  }
}
