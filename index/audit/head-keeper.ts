import type { AuditRows } from '../store/audit/audit-rows.js'
import type { ArchiveMacs } from './archive-keys.js'
import { sameBytes, type ChainEnd } from './chain.js'
import { makeHeadFile, readHeadFile, writeHeadFile } from './head-file.js'

/** True if the log has the row with which a noted end ends. */
export const hasEnd = (rows: AuditRows, { count, hash }: ChainEnd): boolean => {
  if (count === 0) return true
  const found = rows.hashAt(count)
  return found instanceof Uint8Array && sameBytes(found, hash)
}

/**
 * Keeps the small file with the end of the log up to date. A file that contradicts the log is left as it is: it is the
 * evidence that rows were removed. Its methods must run within a transaction that holds the log's write lock.
 */
export class HeadKeeper {
  readonly #dir: string
  readonly #macs: ArchiveMacs
  readonly #rows: AuditRows

  constructor(dir: string, macs: ArchiveMacs, rows: AuditRows) {
    this.#dir = dir
    this.#macs = macs
    this.#rows = rows
  }

  /** Call this before the commit. If the process dies now, the log ends at `before` or at `next`. */
  announce(before: ChainEnd, next: ChainEnd): void {
    const file = readHeadFile(this.#dir, this.#macs)
    if (file.state === 'missing' && before.count === 0)
      makeHeadFile(this.#dir, this.#macs, { end: before, next })
    else if (file.state === 'read' && hasEnd(this.#rows, file.head.end))
      writeHeadFile(this.#dir, this.#macs, { end: before, next })
  }

  /** Call this when the rows up to `end` are committed. */
  settle(end: ChainEnd): void {
    const file = readHeadFile(this.#dir, this.#macs)
    if (file.state !== 'read' || !hasEnd(this.#rows, file.head.end)) return
    if (file.head.next === undefined && file.head.end.count === end.count) return
    writeHeadFile(this.#dir, this.#macs, { end })
  }
}
