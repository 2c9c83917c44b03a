import { setImmediate as nextTurn } from 'node:timers/promises'
import type { StoredHead } from '../store/audit/audit-rows.js'
import { readConsistently } from '../store/transaction.js'
import type { AuditLog } from './audit-log.js'
import { emptyHead, hashOfRow, macOfHead, sameBytes, type ChainEnd } from './chain.js'
import { readHeadFile, type HeadFileState } from './head-file.js'

/** Something that the log would not have if rows were only added to it. */
export interface AuditProblem {
  /**
   * `changed`: a row is not as it was written. `link`: it does not follow the row before. `missing`: rows were removed.
   * `head`: the noted end of the log is not its end. `head-file`: the file with the end contradicts the log.
   * `tables`: the tables or their triggers were changed.
   */
  readonly kind: 'changed' | 'link' | 'missing' | 'head' | 'head-file' | 'tables'
  /** Number of the row. Undefined if it is not about one row. */
  readonly seq?: number
  readonly message: string
}

export interface AuditVerification {
  readonly isIntact: boolean
  /** How many rows were checked. */
  readonly rows: number
  /** Hash of the last row, hex. */
  readonly hash: string
  /** The first 100 problems. */
  readonly problems: readonly AuditProblem[]
}

const mostProblems = 100
const pageRows = 1000

/** Walks all rows, and finds any that was changed, inserted, removed or moved; also removed last rows. */
export async function verifyLog(log: AuditLog): Promise<AuditVerification> {
  // First the file: others may add rows between the two reads, and the file is never ahead of what is committed.
  const file = readHeadFile(log.dir, log.macs)
  const { head, lastSeq, hasOwnSchema } = readConsistently(log.database, () => ({
    head: log.rows.head(),
    lastSeq: log.rows.lastSeq(),
    hasOwnSchema: log.rows.hasOwnSchema(),
  }))
  const walk = new ChainWalk(log, Math.max(lastSeq, head?.count ?? 0))
  if (!hasOwnSchema) walk.add('tables', undefined, 'the tables of the log or their triggers were changed')
  walk.checkHead(head)
  if (file.state === 'read') walk.expect(file.head.end)
  while (walk.nextPage()) await nextTurn()
  walk.finish(head, file)
  return walk.result()
}

/** Checks row after row. */
class ChainWalk {
  readonly #log: AuditLog
  readonly #until: number
  readonly #problems: AuditProblem[] = []
  /** An end that a file noted: the row with this number must have this hash. */
  #noted: ChainEnd | undefined
  #hasNoted = true
  #at: ChainEnd = emptyHead
  #rows = 0

  constructor(log: AuditLog, until: number) {
    this.#log = log
    this.#until = until
  }

  add(kind: AuditProblem['kind'], seq: number | undefined, message: string): void {
    if (this.#problems.length < mostProblems)
      this.#problems.push({ kind, ...(seq === undefined ? {} : { seq }), message })
  }

  expect(noted: ChainEnd): void {
    this.#noted = noted
    this.#hasNoted = noted.count === 0
  }

  checkHead(head: StoredHead | undefined): void {
    if (head !== undefined && !isHash(head.mac, macOfHead(this.#log.macs, head)))
      this.add('head', undefined, 'the noted end of the log was changed')
  }

  /** False when all rows were checked. */
  nextPage(): boolean {
    const page = this.#log.rows.after(this.#at.count, pageRows).filter(({ seq }) => seq <= this.#until)
    for (const row of page) {
      const expected = this.#at.count + 1
      if (row.seq !== expected)
        this.add('missing', expected, `rows ${expected} to ${row.seq - 1} are missing`)
      else if (!isHash(row.previousHash, this.#at.hash))
        this.add('link', row.seq, `row ${row.seq} does not follow the row before it`)
      if (!isHash(row.hash, hashOfRow(this.#log.macs, row)))
        this.add('changed', row.seq, `row ${row.seq} was changed, moved or inserted`)
      if (this.#noted?.count === row.seq) this.#hasNoted = isHash(row.hash, this.#noted.hash)
      this.#at = { count: row.seq, hash: bytesOf(row.hash) }
      this.#rows++
    }
    return page.length === pageRows
  }

  finish(head: StoredHead | undefined, file: HeadFileState): void {
    const end = head ?? emptyHead
    if (end.count > this.#at.count)
      this.add('missing', this.#at.count + 1, `rows ${this.#at.count + 1} to ${end.count} are missing`)
    else if (end.count < this.#at.count)
      this.add('head', undefined, `the log has rows after its noted end, row ${end.count}`)
    else if (!isHash(end.hash, this.#at.hash))
      this.add('head', undefined, 'the noted end of the log is not its last row')
    if (file.state === 'damaged')
      this.add('head-file', undefined, 'the file with the end of the log was changed')
    if (file.state === 'missing' && this.#at.count > 0)
      this.add('head-file', undefined, 'the file with the end of the log is missing')
    if (!this.#hasNoted)
      this.add(
        'head-file',
        undefined,
        `the file with the end of the log tells of row ${this.#noted?.count ?? 0}, which this log does not have: last rows were removed, or the log was replaced`,
      )
  }

  result(): AuditVerification {
    return {
      isIntact: this.#problems.length === 0,
      rows: this.#rows,
      hash: this.#at.hash.toString('hex'),
      problems: this.#problems,
    }
  }
}

/** A changed value may be of any type and length. */
const isHash = (stored: unknown, computed: Buffer): boolean =>
  stored instanceof Uint8Array && sameBytes(stored, computed)

const bytesOf = (stored: unknown): Buffer =>
  stored instanceof Uint8Array ? Buffer.from(stored) : Buffer.alloc(0)
