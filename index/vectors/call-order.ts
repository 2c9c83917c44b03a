/**
 * The order of calls to an index in memory: changes run one after the other, reads at any time, and closing waits for both.
 */
export class CallOrder {
  #changes: Promise<unknown> = Promise.resolve()
  readonly #reads = new Set<Promise<unknown>>()
  #isClosed = false

  /** Runs `work` after every change that was asked for before, whether that succeeded or not. */
  change<T>(work: () => Promise<T> | T): Promise<T> {
    if (this.#isClosed) return Promise.reject(closedError())
    return this.#afterChanges(work)
  }

  /** Runs `work` at once. */
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

  /** Runs `work` when nothing is under way any more; calls from now on are refused. A second call waits for the first. */
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
