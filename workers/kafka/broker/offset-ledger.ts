/**
 * Tracks which messages of one partition are taken and finished. Work may finish in any order. The offset to
 * commit is the one below which everything is finished. Offsets are bigint because Kafka's offsets can exceed
 * 2^53.
 */
export class OffsetLedger {
  /** Taken but not committed messages, in the order taken: offset → finished. */
  readonly #taken = new Map<bigint, boolean>()
  #next: bigint | undefined

  /**
   * True if the message was taken before: after a rebalance, messages without a committed offset are
   * delivered again.
   */
  knows(offset: bigint): boolean {
    return this.#taken.has(offset) || (this.#next !== undefined && offset < this.#next)
  }

  /** Messages must be taken in ascending order. */
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

  /** The first message that is taken and not finished; undefined if there is none. */
  get firstOpen(): bigint | undefined {
    return this.#taken.keys().next().value
  }

  /**
   * The offset to commit: that of the first unfinished message. Undefined until the first message is
   * finished.
   */
  get next(): bigint | undefined {
    return this.#next
  }
}
