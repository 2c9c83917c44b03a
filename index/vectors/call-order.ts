/**
 * Orders the calls to an index in memory. Changes run one after the other, reads run at any time, and closing waits
 * for both.
 */
export class CallOrder {
  #changes: Promise<unknown> = Promise.resolve()
  readonly #reads = new Set<Promise<unknown>>()
  #isClosed = false

  /** Runs `work` after all earlier changes have ended, even if they failed. */
  change<T>(work: () => Promise<T> | T): Promise<T> {
    if (this.#isClosed) return Promise.reject(closedError())
    return this.#afterChanges(work)
  }

  /** Runs `work` immediately. */
  async read<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw closedError()
    const reading = work()
    this.#reads.add(reading)
    try {
      return await reading
    } finally {
      this.#reads.delete(reading)
    }
  }

  /** Runs `work` when all calls have ended, and refuses new calls. A second call waits for the first. */
  close(work: () => Promise<void> | void): Promise<void> {
    if (this.#isClosed) return this.#changes.then(() => undefined)
    this.#isClosed = true
    return this.#afterChanges(async () => {
      await Promise.allSettled(this.#reads)
      await work()
    })
  }

  #afterChanges<T>(work: () => Promise<T> | T): Promise<T> {
    const result = this.#changes.then(work)
    this.#changes = result.catch(() => undefined)
    return result
  }
}

const closedError = () => new Error('the vector index is closed')
