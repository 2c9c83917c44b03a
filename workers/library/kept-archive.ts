import {
  openArchive,
  openArchiveToRead,
  type Archive,
  type FilledArchive,
} from '../../index/archive/open-archive.js'
import type { VectorEngines } from '../../index/vectors/vector-engine.js'
import { CameoError } from '../../pipeline/common/errors.js'

/** One connection to an archive, opened on first use. */
export class KeptArchive {
  readonly dir: string
  readonly #onNotice: (notice: string) => void
  readonly #engines: VectorEngines
  #archive: Archive | undefined

  constructor(dir: string, onNotice: (notice: string) => void, engines: VectorEngines = {}) {
    this.dir = dir
    this.#onNotice = onNotice
    this.#engines = engines
  }

  /** Gives the archive for reading. @throws ARCHIVE_MISSING; same errors as `openArchiveToRead` */
  toRead(): Archive {
    return (this.#archive ??= openArchiveToRead(this.dir, this.#onNotice, this.#engines))
  }

  /**
   * Gives the archive for writing. @throws ARCHIVE_MISSING, unless `create`; ARCHIVE_READ_ONLY; same errors
   * as `openArchive`
   */
  toWrite({ create = false } = {}): Archive {
    if (this.#archive?.database.readonly === true) this.close()
    return (this.#archive ??= openArchive(this.dir, {
      ...{ create, onNotice: this.#onNotice, engines: this.#engines },
    }))
  }

  /** Gives the archive if it has clips. @throws ARCHIVE_MISSING if it has none */
  filled(archive: Archive): FilledArchive {
    const { recipe } = archive
    if (recipe !== undefined) return { archive, recipe }
    throw new CameoError('ARCHIVE_MISSING', `the archive ${this.dir} holds no clips yet; ingest some first`, {
      details: { remedy: 'ingest-first', archive: this.dir },
    })
  }

  close(): void {
    this.#archive?.close()
    this.#archive = undefined
  }
}
