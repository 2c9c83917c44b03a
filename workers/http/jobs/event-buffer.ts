/** An event with its number. Numbers begin with 1 and have no gaps. */
export interface NumberedEvent<T> {
  readonly number: number
  readonly event: T
}

/** Keeps the last events of a job, and hands further ones to whoever listens. */
export class EventBuffer<T> {
  readonly #most: number
  readonly #kept: NumberedEvent<T>[] = []
  readonly #listeners = new Set<(event: NumberedEvent<T>) => void>()
  #last = 0

  /** @param most how many events are kept */
  constructor(most: number) {
    this.#most = most
  }

  add(event: T): void {
    const numbered = { number: ++this.#last, event }
    this.#kept.push(numbered)
    if (this.#kept.length > this.#most) this.#kept.shift()
    for (const listener of this.#listeners) listener(numbered)
  }

  /** Those after a number that are still kept, oldest first. */
  after(number: number): readonly NumberedEvent<T>[] {
    return this.#kept.filter((each) => each.number > number)
  }

  /** @returns a function that ends it */
  listen(listener: (event: NumberedEvent<T>) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}
