import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { canonicalJson } from '../../pipeline/common/digest.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { ApprovalRows, type ApprovalRow } from '../store/audit/approval-rows.js'
import type { AuditAction, AuditActor, AuditEntry, AuditPart, JsonObject } from './audit-entry.js'
import type { AuditLog } from './audit-log.js'
import { withoutNames, withOwnWords } from './audit-row.js'
import { readParts, type ReadPart } from './sealed-parts.js'

/** An approval is valid for so long, if nothing else is said, ms. */
export const defaultApprovalMs = 24 * 3600 * 1000

/** Somebody who takes a step. */
export interface ApprovalActor extends AuditActor {
  /** Has the right to decide. */
  readonly mayApprove: boolean
}

/** What somebody wants to search for. */
export interface ApprovalRequest {
  /**
   * Everything that makes the question this question: subject and limits. An approval is for exactly this. A photo is
   * named by the digest of its bytes.
   */
  readonly question: JsonObject
  /** What the decider sees. It is encrypted under the keys of its subjects. */
  readonly parts: readonly AuditPart[]
  readonly purpose?: string | undefined
  readonly caseReference?: string | undefined
}

export interface Approval {
  readonly approvalId: string
  /** `expired`: requested or approved, but its time is over. */
  readonly state: ApprovalRow['state'] | 'expired'
  readonly requester: AuditActor
  readonly decider?: AuditActor
  readonly purpose?: string
  readonly caseReference?: string
  readonly reason?: string
  /** What is asked. */
  readonly parts: readonly ReadPart[]
  /** ISO 8601, UTC. */
  readonly requestedAt: string
  readonly expiresAt: string
  readonly decidedAt?: string
  readonly usedAt?: string
}

export interface ApprovalOptions {
  readonly personOf?: (actor: AuditActor) => string
  readonly validMs?: number
}

const actorSchema = z.object({
  kind: z.enum(['user', 'key', 'system', 'anonymous']),
  id: z.string(),
  name: z.string(),
})

/**
 * Requests to search that need a second person: requested → approved or denied by somebody else with that right → used once.
 * Each step is one transaction with its entry in the audit log, so that of two processes only one takes it.
 */
export class Approvals {
  readonly #log: AuditLog
  readonly #rows: ApprovalRows
  readonly #validMs: number
  readonly #personOf: (actor: AuditActor) => string

  /**
   * @param personOf who is behind an actor: a key of somebody is not another person. Default: an actor is a person
   * @param validMs how long an approval can be used
   */
  constructor(
    log: AuditLog,
    { personOf = ({ id }) => id, validMs = defaultApprovalMs }: ApprovalOptions = {},
  ) {
    this.#log = log
    this.#rows = new ApprovalRows(log.database)
    this.#validMs = validMs
    this.#personOf = personOf
  }

  request(actor: AuditActor, { question, parts, purpose, caseReference }: ApprovalRequest): Approval {
    const approvalId = randomUUID()
    this.#step(actor, approvalId, 'approval-requested', () => {
      const words = withoutNames({ purpose, caseReference }, parts)
      const sealed = this.#log.seal(parts.map((part) => withOwnWords(part, { purpose, caseReference })))
      this.#rows.insert({
        ...{ approvalId, question: this.#digestOf(question), sealed, state: 'requested' },
        requester: JSON.stringify(plain(actor)),
        ...{ purpose: words.purpose ?? null, caseReference: words.caseReference ?? null },
        ...{ requestedAt: this.#time(), expiresAt: this.#time(this.#validMs) },
        ...{ decider: null, reason: null, decidedAt: null, usedAt: null },
      })
      return { purpose, caseReference, parts }
    })
    return this.get(approvalId)
  }

  /**
   * @throws APPROVAL_UNKNOWN; APPROVAL_NOT_ALLOWED without the right, and of one's own request; APPROVAL_CLOSED if it is
   * decided or expired
   */
  decide(
    actor: ApprovalActor,
    approvalId: string,
    { approved, reason }: { readonly approved: boolean; readonly reason?: string | undefined },
  ): Approval {
    this.#step(actor, approvalId, approved ? 'approval-approved' : 'approval-denied', () => {
      const row = this.#row(approvalId)
      if (!actor.mayApprove)
        throw new CameoError('APPROVAL_NOT_ALLOWED', `${actor.name} may not decide on requests to search`)
      if (this.#personOf(requesterOf(row)) === this.#personOf(actor))
        throw new CameoError(
          'APPROVAL_NOT_ALLOWED',
          'nobody can decide on their own request: another person must',
        )
      this.#check(row, 'requested')
      this.#rows.setDecision(approvalId, {
        ...{ state: approved ? 'approved' : 'denied', decider: JSON.stringify(plain(actor)) },
        ...{
          reason: this.#withoutNames(reason, row) ?? null,
          decidedAt: this.#time(),
          expiresAt: this.#time(this.#validMs),
        },
      })
      return { details: reason === undefined ? {} : { hasReason: true } }
    })
    return this.get(approvalId)
  }

  /**
   * Takes an approval for a search. It cannot be taken twice.
   * @throws APPROVAL_UNKNOWN; APPROVAL_NOT_ALLOWED if somebody else asked; APPROVAL_MISMATCH if it is for another question;
   * APPROVAL_CLOSED if it is not approved, used or expired
   */
  use(actor: AuditActor, approvalId: string, question: JsonObject): Approval {
    this.#step(actor, approvalId, 'approval-used', () => {
      const row = this.#row(approvalId)
      if (requesterOf(row).id !== actor.id)
        throw new CameoError('APPROVAL_NOT_ALLOWED', 'only the person who asked can use an approval')
      if (row.question !== this.#digestOf(question))
        throw new CameoError('APPROVAL_MISMATCH', 'the approval is for another question')
      this.#check(row, 'approved')
      this.#rows.setUsed(approvalId, this.#time())
      return {}
    })
    return this.get(approvalId)
  }

  /** @throws APPROVAL_UNKNOWN */
  get(approvalId: string): Approval {
    return this.#approvalOf(this.#row(approvalId))
  }

  /** Newest first. @param after id of the last one of the page before */
  list({ limit = 100, after }: { readonly limit?: number; readonly after?: string | undefined } = {}): {
    readonly approvals: readonly Approval[]
    readonly next?: string
  } {
    const rows = this.#rows.list(limit + 1, after)
    const last = rows[limit - 1]
    return {
      approvals: rows.slice(0, limit).map((row) => this.#approvalOf(row)),
      ...(rows.length > limit && last !== undefined ? { next: last.approvalId } : {}),
    }
  }

  #withoutNames(reason: string | undefined, { sealed }: ApprovalRow): string | undefined {
    const parts = readParts(this.#log.keys, sealed).filter((part) => part.state === 'readable')
    return withoutNames({ purpose: reason }, parts).purpose
  }

  /** A refused step is in the log, too. */
  #step(
    actor: AuditActor,
    approvalId: string,
    action: AuditAction,
    take: () => Partial<Pick<AuditEntry, 'purpose' | 'caseReference' | 'parts' | 'details'>>,
  ): void {
    const entry = { actor: plain(actor), action, approvalId }
    try {
      this.#log.appendWith(() => ({
        result: undefined,
        entries: [{ ...entry, ...take(), outcome: 'done' }],
      }))
    } catch (error) {
      if (error instanceof CameoError && error.code.startsWith('APPROVAL_'))
        this.#log.appendWith(() => ({
          result: undefined,
          entries: [{ ...entry, outcome: 'refused', details: { code: error.code } }],
        }))
      throw error
    }
  }

  #check(row: ApprovalRow, wanted: 'requested' | 'approved'): void {
    const state = this.#stateOf(row)
    if (state !== wanted)
      throw new CameoError(
        'APPROVAL_CLOSED',
        `the request to search is ${state}: it would have to be ${wanted}`,
      )
  }

  #stateOf({ state, expiresAt }: ApprovalRow): Approval['state'] {
    const isOpen = state === 'requested' || state === 'approved'
    return isOpen && expiresAt <= this.#time() ? 'expired' : state
  }

  #row(approvalId: string): ApprovalRow {
    const row = this.#rows.find(approvalId)
    if (row === undefined)
      throw new CameoError('APPROVAL_UNKNOWN', 'there is no request to search with this id')
    return row
  }

  #digestOf(question: JsonObject): string {
    return this.#log.macs.mac('approval-question', canonicalJson(question)).toString('hex')
  }

  #time(laterMs = 0): string {
    return new Date(this.#log.now() + laterMs).toISOString()
  }

  #approvalOf(row: ApprovalRow): Approval {
    const { approvalId, purpose, caseReference, reason, decider, decidedAt, usedAt } = row
    return {
      ...{ approvalId, state: this.#stateOf(row), requester: requesterOf(row) },
      ...{ parts: readParts(this.#log.keys, row.sealed) },
      ...{ requestedAt: row.requestedAt, expiresAt: row.expiresAt },
      ...(decider === null ? {} : { decider: actorOf(decider) }),
      ...(purpose === null ? {} : { purpose }),
      ...(caseReference === null ? {} : { caseReference }),
      ...(reason === null ? {} : { reason }),
      ...(decidedAt === null ? {} : { decidedAt }),
      ...(usedAt === null ? {} : { usedAt }),
    }
  }
}

const plain = ({ kind, id, name }: AuditActor): AuditActor => ({ kind, id, name })
const actorOf = (text: string): AuditActor => actorSchema.parse(JSON.parse(text))
const requesterOf = ({ requester }: ApprovalRow) => actorOf(requester)
