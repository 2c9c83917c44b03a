/**
 * Which messages of one partition are taken and finished. Work may finish in any order; what is committed is the offset
 * below which everything is finished. Offsets as Kafka gives them: whole numbers beyond 2^53 in theory, so bigint.
 */
export class OffsetLedger {
  /** Taken and not committed yet, in the order taken: offset → finished. */
  readonly #taken = new Map<bigint, boolean>()
  #next: bigint | undefined

  /** True where the message was taken before: a rebalance delivers again what is not committed. */
  knows(offset: bigint): boolean {
    return this.#taken.has(offset) || (this.#next !== undefined && offset < this.#next)
  }

  /** Messages are taken in ascending order. */
  take(offset: bigint): void {
    this.#taken.set(offset, false)
  }

  finish(offset: bigint): void {
    if (!this.#taken.has(offset)) return
    this.#taken.set(offset, true)
    for (const [first, finished] of this.#taken) {
      if (!finished) break
      this.#taken.delete(first)
      this.#next = first + 1n
    }
  }

  /** The first message that is taken and not finished, undefined where there is none. */
  get firstOpen(): bigint | undefined {
    return this.#taken.keys().next().value
  }

  /** The offset to commit: of the first message that is not finished. Undefined while none is. */
  get next(): bigint | undefined {
    return this.#next
  }
}
