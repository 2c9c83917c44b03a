import type { Database } from '../sqlite.js'

/** A request to search, as it is stored. */
export interface ApprovalRow {
  readonly approvalId: string
  /** HMAC of what is asked, hex. */
  readonly question: string
  readonly sealed: string
  /** JSON {kind, id, name}. */
  readonly requester: string
  readonly purpose: string | null
  readonly caseReference: string | null
  /** ISO 8601, UTC. */
  readonly requestedAt: string
  readonly expiresAt: string
  readonly state: 'requested' | 'approved' | 'denied' | 'used'
  /** JSON {kind, id, name}. */
  readonly decider: string | null
  readonly reason: string | null
  readonly decidedAt: string | null
  readonly usedAt: string | null
}

const columns = `approval_id AS approvalId, question, sealed, requester, purpose, case_reference AS caseReference,
  requested_at AS requestedAt, expires_at AS expiresAt, state, decider, reason, decided_at AS decidedAt, used_at AS usedAt`

/** Reads and writes requests. */
export class ApprovalRows {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  find(approvalId: string): ApprovalRow | undefined {
    return this.#database
      .prepare<[string], ApprovalRow>(`SELECT ${columns} FROM approvals WHERE approval_id = ?`)
      .get(approvalId)
  }

  /** Newest first; those before the given one. */
  list(limit: number, after: string | undefined): ApprovalRow[] {
    return this.#database
      .prepare<{ limit: number; after: string | null }, ApprovalRow>(
        `SELECT ${columns} FROM approvals
         WHERE @after IS NULL OR (requested_at, approval_id) <
           (SELECT requested_at, approval_id FROM approvals WHERE approval_id = @after)
         ORDER BY requested_at DESC, approval_id DESC LIMIT @limit`,
      )
      .all({ limit, after: after ?? null })
  }

  insert(row: ApprovalRow): void {
    this.#database
      .prepare<[ApprovalRow]>(
        `INSERT INTO approvals (approval_id, question, sealed, requester, purpose, case_reference, requested_at, expires_at,
           state, decider, reason, decided_at, used_at)
         VALUES (@approvalId, @question, @sealed, @requester, @purpose, @caseReference, @requestedAt, @expiresAt,
           @state, @decider, @reason, @decidedAt, @usedAt)`,
      )
      .run(row)
  }

  setDecision(
    approvalId: string,
    decision: Pick<ApprovalRow, 'state' | 'decider' | 'reason' | 'decidedAt' | 'expiresAt'>,
  ): void {
    this.#database
      .prepare(
        `UPDATE approvals SET state = @state, decider = @decider, reason = @reason, decided_at = @decidedAt,
           expires_at = @expiresAt WHERE approval_id = @approvalId`,
      )
      .run({ ...decision, approvalId })
  }

  setUsed(approvalId: string, usedAt: string): void {
    this.#database
      .prepare("UPDATE approvals SET state = 'used', used_at = ? WHERE approval_id = ?")
      .run(usedAt, approvalId)
  }
}
