import { openArchiveIndex } from '../../index/archive/open-archive-index.js'
import { vectorEngineOf } from '../../index/archive/choose-engine.js'
import type { Archive } from '../../index/archive/open-archive.js'
import { activeSpace } from '../../index/store/meta.js'
import type { VectorCache } from '../../index/vectors/archive/cached-index.js'
import { Turns } from './turns.js'

/** The vector index of an archive, opened on first use and kept between searches. */
export class KeptIndex {
  readonly #onNotice: (notice: string) => void
  readonly #turns = new Turns()
  #open:
    { readonly spaceId: number | undefined; readonly engine: string; readonly cache: VectorCache } | undefined

  constructor(onNotice: (notice: string) => void) {
    this.#onNotice = onNotice
  }

  /**
   * Calls `work` with the index, which holds everything that is in the archive now.
   * @throws same errors as `openArchiveIndex`
   */
  use<T>(archive: Archive, work: (index: VectorCache) => Promise<T>): Promise<T> {
    return this.#turns.run(async () => {
      const spaceId = activeSpace(archive.database)?.spaceId
      const engine = vectorEngineOf(archive)
      if (this.#open?.spaceId !== spaceId || this.#open?.engine !== engine) await this.#close()
      this.#open ??= { spaceId, engine, cache: await openArchiveIndex(archive, { onNotice: this.#onNotice }) }
      await this.#open.cache.catchUp()
      return work(this.#open.cache)
    })
  }

  /** Closes the index. A later search opens it again. */
  release(): Promise<void> {
    return this.#turns.run(() => this.#close())
  }

  async #close(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    await open?.cache.close()
  }
}
