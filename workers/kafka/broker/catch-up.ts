import { Deferred } from '../../../pipeline/common/deferred.js'

/** Tells when a reader has read everything that lay in a topic at the start. */
export class CatchUp {
  /** Partitions with messages that are not read yet, and the offset where they ended at the start. */
  readonly #missing: Map<number, bigint>
  readonly #caughtUp = new Deferred<void>()

  /** @param ends of partitions that hold messages: the offset after the last one */
  constructor(ends: Iterable<readonly [partition: number, end: bigint]>) {
    this.#missing = new Map(ends)
    this.#resolveIfDone()
  }

  get caughtUp(): Promise<void> {
    return this.#caughtUp.promise
  }

  /** @param next the offset at which reading goes on */
  noteRead(partition: number, next: bigint): void {
    const end = this.#missing.get(partition)
    if (end !== undefined && next >= end) this.#missing.delete(partition)
    this.#resolveIfDone()
  }

  #resolveIfDone(): void {
    if (this.#missing.size === 0) this.#caughtUp.resolve()
  }
}
