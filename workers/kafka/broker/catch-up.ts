import { Deferred } from '../../../pipeline/common/deferred.js'

/** Detects when a reader has read everything that was in a topic at the start. */
export class CatchUp {
  /** Partitions that still have unread messages, and their end offset at the start. */
  readonly #missing: Map<number, bigint>
  readonly #caughtUp = new Deferred<void>()

  /** @param ends end offset of each partition that holds messages: the offset after the last one */
  constructor(ends: Iterable<readonly [partition: number, end: bigint]>) {
    this.#missing = new Map(ends)
    this.#resolveIfDone()
  }

  get caughtUp(): Promise<void> {
    return this.#caughtUp.promise
  }

  /** @param next the offset of the next message to read */
  noteRead(partition: number, next: bigint): void {
    const end = this.#missing.get(partition)
    if (end !== undefined && next >= end) this.#missing.delete(partition)
    this.#resolveIfDone()
  }

  #resolveIfDone(): void {
    if (this.#missing.size === 0) this.#caughtUp.resolve()
  }
}
