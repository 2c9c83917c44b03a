import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openAuditDatabase } from '../store/audit/audit-database.js'
import { AuditRows } from '../store/audit/audit-rows.js'
import { emptyAuditLogFile, SubjectKeys } from '../store/audit/subject-keys.js'
import { archiveError } from '../store/database.js'
import type { Database } from '../store/sqlite.js'
import { inTransaction } from '../store/transaction.js'
import { readMacs, type ArchiveMacs } from './archive-keys.js'
import type { AuditEntry, AuditPart, AuditSubject } from './audit-entry.js'
import { rowOf, type TimedEntry } from './audit-row.js'
import { emptyHead, macOfHead, type ChainEnd } from './chain.js'
import { auditHeadFileName } from './head-file.js'
import { HeadKeeper } from './head-keeper.js'
import { labelHmac, Sealer } from './sealed-parts.js'

export interface AuditLogOptions {
  /** The time of entries, ms since 1970. Default: the clock. */
  readonly now?: () => number
  /** Only read it. */
  readonly readOnly?: boolean
}

interface Waiting extends TimedEntry {
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** At most so many rows are one transaction, so that others get their turn to write. */
const mostAtOnce = 1000

/** A commit costs as much as several entries, so that a busy server writes them together. */
const commitEveryMs = 10
/** The small file is brought up to date when nothing was added for so long. */
const settleAfterMs = 50
const tryAgainAfterMs = 50

/** What became of the keys of forgotten subjects. */
export interface DestroyedKeys {
  readonly destroyed: number
  /** True if another process reads the log, so that bytes of the keys are still in SQLite's log file. */
  readonly isPending: boolean
}

/**
 * The audit log of an archive: rows are only added, each with a hash over itself and the row before. Several processes may
 * add rows at once. People are named only in parts that are encrypted under keys of their own.
 */
export class AuditLog {
  readonly dir: string
  readonly database: Database
  readonly macs: ArchiveMacs
  readonly rows: AuditRows
  readonly keys: SubjectKeys
  readonly #sealer: Sealer
  readonly #keeper: HeadKeeper
  readonly #now: () => number
  #waiting: Waiting[] = []
  #isScheduled = false
  #committedAtMs = -Infinity
  #settling: NodeJS.Timeout | undefined

  private constructor(dir: string, database: Database, macs: ArchiveMacs, now: () => number) {
    this.dir = dir
    this.database = database
    this.macs = macs
    this.rows = new AuditRows(database)
    this.keys = new SubjectKeys(database)
    this.#sealer = new Sealer(this.keys, macs)
    this.#keeper = new HeadKeeper(dir, macs, this.rows)
    this.#now = now
  }

  /**
   * Opens the log of an archive, and creates it if there is none. The folder of the archive must exist.
   * @throws AUDIT_KEY_MISSING; ARCHIVE_MISSING, ARCHIVE_NEWER, ARCHIVE_READ_ONLY, ARCHIVE_FULL, ARCHIVE_BUSY, ARCHIVE_DAMAGED
   */
  static open(archiveDir: string, { now = Date.now, readOnly = false }: AuditLogOptions = {}): AuditLog {
    const database = openAuditDatabase(archiveDir, { readOnly })
    try {
      const isNew =
        new AuditRows(database).lastSeq() === 0 && !existsSync(join(archiveDir, auditHeadFileName))
      return new AuditLog(archiveDir, database, readMacs(archiveDir, isNew), now)
    } catch (error) {
      database.close()
      throw error
    }
  }

  /** The time by the log's clock, ms since 1970. */
  now(): number {
    return this.#now()
  }

  /**
   * Adds an entry. Entries that come at the same time, or within some milliseconds of a busy server, are one transaction. Resolves
   * when the entry is on the disk.
   * @throws ARCHIVE_FULL, ARCHIVE_READ_ONLY, ARCHIVE_BUSY, ARCHIVE_DAMAGED; then the entry was not added
   */
  append(entry: AuditEntry): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entry, at: this.#time(), resolve, reject })
      if (this.#isScheduled) return
      this.#isScheduled = true
      const waitMs = this.#committedAtMs + commitEveryMs - performance.now()
      if (waitMs <= 0) setImmediate(() => this.#commitWaiting())
      else setTimeout(() => this.#commitWaiting(), waitMs)
    })
  }

  /** Runs `work` as one transaction together with its entries: both happen, or neither. @throws as `append` */
  appendWith<Result>(
    work: () => { readonly result: Result; readonly entries: readonly AuditEntry[] },
  ): Result {
    return this.#guarded(() => {
      const done = inTransaction(this.database, () => {
        const { result, entries } = work()
        this.#addRows(entries.map((entry) => ({ entry, at: this.#time() })))
        return result
      })
      this.#settleLater()
      return done
    })
  }

  /** Encrypts parts as a row has them. Call this within `appendWith`. */
  seal(parts: readonly AuditPart[]): string {
    this.#sealer.refresh()
    return this.#sealer.seal(parts)
  }

  /**
   * HMAC of the content of a query's file: the same photo has the same digest, and nobody without the key can try photos. Hex.
   * @param contentSha256 SHA-256 of its bytes, hex
   */
  digestOfQuery(contentSha256: string): string {
    return this.macs.mac('query', Buffer.from(contentSha256, 'hex')).toString('hex')
  }

  /** The ids of the subjects that the log knows, of the given ones. */
  idsOf(subjects: readonly AuditSubject[]): number[] {
    return subjects.flatMap((subject) => this.keys.find(labelHmac(this.macs, subject))?.subjectId ?? [])
  }

  /**
   * Destroys the keys of subjects: nobody can read what the log says about them, and the chain stays valid. Their bytes are in
   * SQLite's log file until `emptyFileLog`.
   * @param within happens in the same transaction
   * @returns how many there were
   */
  destroyKeys(subjects: readonly AuditSubject[], within?: () => void): number {
    return this.destroyKeysWith(
      subjects.map((subject) => labelHmac(this.macs, subject)),
      within,
    )
  }

  /** The same for subjects of which only the HMACs are known. */
  destroyKeysWith(labelHmacs: readonly Buffer[], within: () => void = () => undefined): number {
    // What waits to be written may be about them.
    this.#commitWaiting()
    const destroyed = this.#guarded(() =>
      inTransaction(this.database, () => {
        const ids = new Set(labelHmacs.flatMap((hmac) => this.keys.find(hmac)?.subjectId ?? []))
        for (const id of ids) this.keys.destroy(id)
        within()
        return ids.size
      }),
    )
    this.#sealer.forgetKeys()
    return destroyed
  }

  /** The same, until their bytes are gone. @param waitMs how long to wait for other processes that read the log */
  async forget(subjects: readonly AuditSubject[], waitMs = 10_000): Promise<DestroyedKeys> {
    const destroyed = this.destroyKeys(subjects)
    return { destroyed, isPending: !(await this.emptyFileLog(waitMs)) }
  }

  /** Removes what was overwritten from SQLite's log file. False if another process read it for all that time. */
  async emptyFileLog(waitMs = 10_000): Promise<boolean> {
    for (const until = performance.now() + waitMs; ;) {
      if (emptyAuditLogFile(this.database)) return true
      if (performance.now() >= until) return false
      await sleep(Math.min(tryAgainAfterMs, waitMs))
    }
  }

  /** Writes what waits, and closes the file. */
  close(): void {
    this.#commitWaiting()
    clearTimeout(this.#settling)
    if (!this.database.readonly) this.#settle()
    this.database.close()
  }

  #time(): string {
    return new Date(this.#now()).toISOString()
  }

  #commitWaiting(): void {
    this.#isScheduled = false
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, mostAtOnce)
      try {
        this.#guarded(() => inTransaction(this.database, () => this.#addRows(group)))
      } catch (error) {
        for (const { reject } of group) reject(error)
        continue
      }
      for (const { resolve } of group) resolve()
      this.#committedAtMs = performance.now()
      this.#settleLater()
    }
  }

  /** Within a transaction that holds the write lock. */
  #addRows(entries: readonly TimedEntry[]): void {
    if (entries.length === 0) return
    this.#sealer.refresh()
    const before: ChainEnd = this.rows.head() ?? emptyHead
    let end = before
    for (const entry of entries) {
      const row = rowOf(entry, end, this.macs, (parts) => this.#sealer.seal(parts))
      this.rows.insert(row)
      end = { count: row.seq, hash: row.hash }
    }
    this.rows.setHead({ ...end, mac: macOfHead(this.macs, end) })
    this.#keeper.announce(before, end)
  }

  #settleLater(): void {
    clearTimeout(this.#settling)
    this.#settling = setTimeout(() => this.#settle(), settleAfterMs)
    this.#settling.unref()
  }

  /** It is brought up to date later if others are writing now. */
  #settle(): void {
    try {
      inTransaction(this.database, () => this.#keeper.settle(this.rows.head() ?? emptyHead))
    } catch (error) {
      if (archiveError(this.dir, error) === undefined) throw error
    }
  }

  #guarded<Result>(work: () => Result): Result {
    try {
      return work()
    } catch (error) {
      this.#sealer.forgetKeys()
      throw archiveError(this.dir, error) ?? error
    }
  }
}
