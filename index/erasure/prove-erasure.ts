import { randomBytes } from 'node:crypto'
import { CameoError, messageOf } from '../../pipeline/common/errors.js'
import { openArchive, type Archive } from '../archive/open-archive.js'
import { readSigningKeys } from '../audit/archive-keys.js'
import type { AuditAction, AuditActor } from '../audit/audit-entry.js'
import { AuditLog } from '../audit/audit-log.js'
import { signatureOf } from '../audit/signatures.js'
import { systemActor } from '../audit/system-actor.js'
import { ReceiptRows } from '../store/audit/receipt-rows.js'
import { hasAuditDatabase, openAuditDatabase } from '../store/audit/audit-database.js'
import { pendingErasure } from '../store/erasure.js'
import { readArchiveId } from '../store/meta.js'
import { usesTopics } from '../store/erased-rows.js'
import { ErasedThings } from './erased-things.js'
import { keyIdOf, parseReceipt, type Receipt, type ReceiptBody, type Unreachable } from './receipt.js'
import { searchAgain } from './search-again.js'
import { findUnreachable } from './unreachable.js'

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
  #unreachable: Unreachable[] = []
  #destroyed = 0

  private constructor(
    archive: Archive,
    log: AuditLog,
    order: ErasureOrder,
    notify: (notice: string) => void,
  ) {
    this.#archive = archive
    this.#log = log
    this.#order = order
    this.#notify = notify
    this.things = new ErasedThings(archive, log)
  }

  /** Undefined if the audit log cannot be written: the erasure goes on without a receipt, and the caller is told why. */
  static begin(
    archive: Archive,
    order: ErasureOrder,
    notify: (notice: string) => void,
  ): ErasureProof | undefined {
    try {
      return new ErasureProof(archive, AuditLog.open(archive.dir), order, notify)
    } catch (error) {
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
    this.#destroyed = this.#log.destroyKeys(subjects)
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
    store(this.#log, receipt, {
      ...this.#order,
      action: outcome.action,
      actor: this.#order.actor ?? systemActor(),
    })
    return receipt
  }

  close(): void {
    this.#log.close()
  }

  #sign(
    body: Omit<ReceiptBody, 'kind' | 'version' | 'receiptId' | 'archiveId' | 'keyId' | 'at' | 'reference'>,
  ) {
    return signReceipt(this.#archive, this.#log, { ...body, reference: this.#order.caseReference })
  }
}

type UnsignedReceipt = Omit<
  ReceiptBody,
  'kind' | 'version' | 'receiptId' | 'archiveId' | 'keyId' | 'at' | 'reference'
> & { readonly reference: string | undefined }

function signReceipt(archive: Archive, log: AuditLog, unsigned: UnsignedReceipt): Receipt {
  const keys = readSigningKeys(log.dir)
  const receiptId = `R-${randomBytes(8).toString('hex')}`
  const body: ReceiptBody = {
    ...unsigned,
    ...{ kind: 'cameo-erasure-receipt', version: 1, receiptId },
    ...{ archiveId: readArchiveId(archive.database), keyId: keyIdOf(keys.publicKey) },
    ...{ at: new Date(log.now()).toISOString(), reference: unsigned.reference ?? receiptId },
  }
  return { ...body, signature: signatureOf(keys, body) }
}

/** The receipt and its entry are one transaction. */
function store(
  log: AuditLog,
  receipt: Receipt,
  {
    action,
    actor,
    purpose,
    caseReference,
    approvalId,
  }: ErasureOrder & {
    readonly action: AuditAction
    readonly actor: AuditActor
  },
): void {
  const { receiptId, state, completes, subject } = receipt
  log.appendWith(() => {
    insertReceipt(log, receipt)
    return {
      result: undefined,
      entries: [
        {
          ...{ actor, action, purpose, caseReference, approvalId, outcome: 'done' },
          details: { receiptId, state, completes, subject: subject.kind, count: subject.count },
        },
      ],
    }
  })
}

/** Adds a receipt, if the log does not have it. */
export function insertReceipt(log: AuditLog, receipt: Receipt): void {
  new ReceiptRows(log.database).insert({
    receiptId: receipt.receiptId,
    at: receipt.at,
    completes: receipt.completes ?? null,
    pending: receipt.state === 'pending' ? 1 : 0,
    body: JSON.stringify(receipt),
  })
}

/**
 * Adds a second receipt for each unfinished erasure that is finished now. Does nothing while one is pending. What fails is
 * told, and the next call does it.
 */
export async function completeReceipts(archive: Archive, notify: (notice: string) => void): Promise<void> {
  if (!hasAuditDatabase(archive.dir) || archive.database.readonly) return
  try {
    const log = AuditLog.open(archive.dir)
    try {
      const unfinished = new ReceiptRows(log.database).unfinished()
      if (unfinished.length === 0 || pendingErasure(archive.database) !== undefined) return
      if (!(await log.emptyFileLog(0))) return
      for (const { body } of unfinished) {
        const first = parseReceipt(JSON.parse(body))
        const erased = { ...first.erased, snapshots: 'clean' as const }
        const second = signReceipt(archive, log, {
          ...{ erased, state: 'complete', completes: first.receiptId, reference: first.reference },
          ...{ subject: first.subject, check: first.check, unreachable: first.unreachable },
        })
        store(log, second, { actor: systemActor(), action: 'erasure-finished' })
      }
    } finally {
      log.close()
    }
  } catch (error) {
    if (!(error instanceof CameoError)) throw error
    notify(`the receipts of finished erasures were not written: ${messageOf(error)}`)
  }
}

/** The same for an archive that is not open, if it has such receipts. */
export async function completeReceiptsIn(
  archiveDir: string,
  notify: (notice: string) => void,
): Promise<void> {
  if (!hasUnfinishedReceipts(archiveDir)) return
  const archive = openArchive(archiveDir)
  try {
    await completeReceipts(archive, notify)
  } finally {
    archive.close()
  }
}

/** False as well if the log cannot be read: its next use tells. */
function hasUnfinishedReceipts(archiveDir: string): boolean {
  if (!hasAuditDatabase(archiveDir)) return false
  try {
    const database = openAuditDatabase(archiveDir)
    try {
      return new ReceiptRows(database).unfinished().length > 0
    } finally {
      database.close()
    }
  } catch (error) {
    if (error instanceof CameoError) return false
    throw error
  }
}
