/** A call that is running or has ended, for a view. */
export class Work<Value> {
  value = $state.raw<Value>()
  problem = $state.raw<unknown>()
  isRunning = $state(false)
  #last = 0

  /** Runs a call. Only the last call that was started counts. Its error is kept in `problem`. */
  async run(call: () => Promise<Value>): Promise<Value | undefined> {
    const own = ++this.#last
    this.isRunning = true
    this.problem = undefined
    try {
      const value = await call()
      if (own === this.#last) this.value = value
      return value
    } catch (error) {
      if (own === this.#last) this.problem = error
      return undefined
    } finally {
      if (own === this.#last) this.isRunning = false
    }
  }
}

/** A list that is read page by page. */
export class PagedList<Item> {
  items = $state.raw<readonly Item[]>([])
  problem = $state.raw<unknown>()
  isRunning = $state(false)
  isLoaded = $state(false)
  next = $state<string>()
  readonly #read: (
    after: string | undefined,
  ) => Promise<{ readonly items: readonly Item[]; readonly next?: string }>
  #last = 0
  #asked: string | undefined

  constructor(
    read: (after: string | undefined) => Promise<{ readonly items: readonly Item[]; readonly next?: string }>,
  ) {
    this.#read = read
  }

  /** Reads the first page again. */
  reload = (): Promise<void> => this.#load(undefined)

  /** Reads the next page. */
  more = (): Promise<void> => this.#load(this.next)

  /** The last call once more, after a problem. */
  again = (): Promise<void> => this.#load(this.#asked)

  async #load(after: string | undefined): Promise<void> {
    const own = ++this.#last
    this.#asked = after
    this.isRunning = true
    this.problem = undefined
    try {
      const page = await this.#read(after)
      if (own !== this.#last) return
      this.items = after === undefined ? page.items : [...this.items, ...page.items]
      this.next = page.next
      this.isLoaded = true
    } catch (error) {
      if (own === this.#last) this.problem = error
    } finally {
      if (own === this.#last) this.isRunning = false
    }
  }
}
