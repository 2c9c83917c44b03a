/** A queue with one reader that waits. Items come out in order; after `close` the reader gets `undefined` for ever. */
export class Mailbox<T> {
  readonly #waiting: T[] = []
  #reader: ((item: T | undefined) => void) | undefined
  #closed = false

  put(item: T): void {
    const reader = this.#reader
    if (reader === undefined) {
      this.#waiting.push(item)
      return
    }
    this.#reader = undefined
    reader(item)
  }

  close(): void {
    this.#closed = true
    this.#reader?.(undefined)
    this.#reader = undefined
  }

  next(): Promise<T | undefined> {
    const item = this.#waiting.shift()
    if (item !== undefined || this.#closed) return Promise.resolve(item)
    return new Promise((resolve) => {
      this.#reader = resolve
    })
  }
}
