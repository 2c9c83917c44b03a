import { CameoError } from '../../pipeline/common/errors.js'
import type { Archive } from '../archive/open-archive.js'
import type { AuditAction, AuditActor } from '../audit/audit-entry.js'
import { AuditLog } from '../audit/audit-log.js'
import { systemActor } from '../audit/system-actor.js'
import { translateSqliteErrors, type FileLock } from '../store/database.js'
import { ErasureNotes, type ErasureNote } from '../store/audit/erasure-notes.js'
import { ReceiptRows } from '../store/audit/receipt-rows.js'
import { usesTopics } from '../store/erased-rows.js'
import { tryLockErasures } from '../store/locks.js'
import { inTransaction } from '../store/transaction.js'
import { ErasedThings } from './erased-things.js'
import { parseReceipt, type Receipt, type ReceiptBody, type Unreachable } from './receipt.js'
import { searchAgain } from './search-again.js'
import { findUnreachable } from './unreachable.js'
import { addReceipt, signReceipt, type UnsignedReceipt } from './write-receipt.js'

/** Who erases, and why. */
export interface ErasureOrder {
  /** Default: the user of this process. */
  readonly actor?: AuditActor | undefined
  readonly purpose?: string | undefined
  /** The operator's number of the request. The receipt tells it. */
  readonly caseReference?: string | undefined
  readonly approvalId?: string | undefined
}

export interface ErasureOutcome {
  readonly kind: ReceiptBody['subject']['kind']
  /** How many names, faces or clips. */
  readonly count: number
  readonly action: AuditAction
  /** The ERASURE_PENDING error of an erasure that is not finished. */
  readonly pending: CameoError | undefined
  /** A folder of checkpoints was cleared, too. */
  readonly checkpointFolder: boolean
  /** How long to wait for other processes that read the audit log. */
  readonly waitMs: number
}

/** Proves an erasure: what is there before, that nothing is found afterwards, and a signed receipt. */
export class ErasureProof {
  readonly things: ErasedThings
  readonly #archive: Archive
  readonly #log: AuditLog
  readonly #order: ErasureOrder
  readonly #notify: (notice: string) => void
  readonly #lock: FileLock | undefined
  readonly #notes: ErasureNote[] = []
  #unreachable: Unreachable[] = []
  #destroyed = 0

  private constructor(
    archive: Archive,
    { log, lock }: { readonly log: AuditLog; readonly lock: FileLock | undefined },
    order: ErasureOrder,
    notify: (notice: string) => void,
  ) {
    this.#archive = archive
    this.#log = log
    this.#order = order
    this.#notify = notify
    this.#lock = lock
    this.things = new ErasedThings(archive, log, (notes) => this.#noteBefore(notes))
  }

  /** Undefined if the audit log cannot be written: the erasure goes on without a receipt, and the caller is told why. */
  static begin(
    archive: Archive,
    order: ErasureOrder,
    notify: (notice: string) => void,
  ): ErasureProof | undefined {
    let lock: FileLock | undefined
    try {
      lock = tryLockErasures(archive.dir)
      return new ErasureProof(archive, { log: AuditLog.open(archive.dir), lock }, order, notify)
    } catch (error) {
      lock?.release()
      if (!(error instanceof CameoError)) throw error
      notify(`there will be no receipt: ${error.message}`)
      return undefined
    }
  }

  /**
   * Looks for what is gone, and adds the signed receipt to the log. Undefined if that fails: what is
   * erased stays erased, and the caller is told why.
   */
  async finish(outcome: ErasureOutcome): Promise<Receipt | undefined> {
    try {
      return await this.#prove(outcome)
    } catch (error) {
      if (!(error instanceof CameoError)) throw error
      this.#notify(`it is erased, but there is no receipt: ${error.message}`)
      return undefined
    }
  }

  /** Destroys the keys of what is gone. Call this right after the erasure: the process may die while it waits for others. */
  destroyKeys(): void {
    const subjects = this.things.subjects()
    this.#unreachable = findUnreachable(this.#archive.database, this.#log, this.#log.idsOf(subjects))
    const notes = new ErasureNotes(this.#log.database)
    this.#destroyed = this.#log.destroyKeys(subjects, () => notes.remove(this.#notes))
  }

  /** If this process dies before `destroyKeys`, the next one that opens the archive destroys the keys. */
  #noteBefore(notes: readonly ErasureNote[]): void {
    const { database } = this.#log
    try {
      translateSqliteErrors(this.#archive.dir, () =>
        inTransaction(database, () => new ErasureNotes(database).add(notes)),
      )
      this.#notes.push(...notes)
    } catch (error) {
      if (!(error instanceof CameoError)) throw error
      this.#notify(`the audit log could not note what is about to be erased: ${error.message}`)
    }
  }

  /** The second receipt, if the erasure was finished after the first one. */
  completionOf({ receiptId }: Receipt): Receipt | undefined {
    const row = new ReceiptRows(this.#log.database).findCompletion(receiptId)
    return row === undefined ? undefined : parseReceipt(JSON.parse(row.body))
  }

  async #prove(outcome: ErasureOutcome): Promise<Receipt> {
    const { things } = this
    const hmacs = things.hmacs()
    const isPending = !(await this.#log.emptyFileLog(outcome.waitMs)) || outcome.pending !== undefined
    const rows = things.erasedRows()
    const sum = (...tables: readonly string[]) => tables.reduce((n, table) => n + (rows[table] ?? 0), 0)
    const receipt = this.#sign({
      state: isPending ? 'pending' : 'complete',
      subject: { kind: outcome.kind, count: outcome.count, hmacs },
      erased: {
        rows,
        vectors: sum('descriptors'),
        thumbnails: sum('thumbnails'),
        pictures: sum('reference_pictures'),
        groups: things.emptyGroups().length,
        scratch: sum('checkpoints', 'pending_parts'),
        checkpointFolder: outcome.checkpointFolder,
        auditKeys: this.#destroyed,
        snapshots: outcome.pending === undefined ? 'clean' : 'pending',
        tombstones: usesTopics(this.#archive.database),
      },
      check: {
        ...(await searchAgain(this.#archive, things.vectors(), this.#notify)),
        ...things.lookUp(),
      },
      unreachable: this.#unreachable,
    })
    addReceipt(this.#log, receipt, {
      ...this.#order,
      action: outcome.action,
      actor: this.#order.actor ?? systemActor(),
    })
    return receipt
  }

  close(): void {
    this.#log.close()
    this.#lock?.release()
  }

  #sign(body: Omit<UnsignedReceipt, 'reference'>): Receipt {
    return signReceipt(this.#archive, this.#log, { ...body, reference: this.#order.caseReference })
  }
}
