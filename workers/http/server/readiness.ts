import { CameoError, messageOf } from '../../../pipeline/common/errors.js'
import type { ArchiveHost } from '../hosts/archive-host.js'

/** Whether searches are answered at once. */
export type ReadyState =
  | { readonly status: 'ready' }
  /** The index of vectors is being loaded. */
  | { readonly status: 'loading' }
  | { readonly status: 'failed'; readonly code: string }

const retryAfterMs = 5000

/** Loads the index of vectors when the server starts, so that the first search need not. */
export class Readiness {
  readonly #reader: Pick<ArchiveHost, 'call'>
  readonly #onFailure: (message: string) => void
  #state: ReadyState = { status: 'loading' }
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(reader: Pick<ArchiveHost, 'call'>, onFailure: (message: string) => void) {
    this.#reader = reader
    this.#onFailure = onFailure
  }

  get state(): ReadyState {
    return this.#state
  }

  /** Never rejects; tries again after a failure. */
  async load(): Promise<void> {
    try {
      await this.#reader.call('loadIndex')
      this.#state = { status: 'ready' }
    } catch (error) {
      if (this.#isClosed) return
      const code = error instanceof CameoError ? error.code : 'MESSAGE_FAILED'
      // Before the first ingest there is nothing to load.
      if (code === 'ARCHIVE_MISSING') this.#state = { status: 'ready' }
      else this.#retry(code, messageOf(error))
    }
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }

  #retry(code: string, message: string): void {
    this.#state = { status: 'failed', code }
    this.#onFailure(message)
    this.#timer = setTimeout(() => void this.load(), retryAfterMs)
    this.#timer.unref()
  }
}
