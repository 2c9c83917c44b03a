import { CameoError } from '../../../pipeline/common/errors.js'
import type { ArchiveHost } from '../hosts/archive-host.js'

/** Loads the index of vectors, and says when it is loaded. */
export class Readiness {
  #isReady = false

  get isReady(): boolean {
    return this.#isReady
  }

  /** An archive without clips has nothing to load. */
  async load(reader: Pick<ArchiveHost, 'call'>): Promise<void> {
    try {
      await reader.call('warmUp')
    } catch (error) {
      if (!(error instanceof CameoError) || error.code !== 'ARCHIVE_MISSING') throw error
    }
    this.#isReady = true
  }
}
