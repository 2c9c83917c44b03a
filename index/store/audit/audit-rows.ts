import type { Database, Statement } from '../sqlite.js'
import { auditTablesSql, auditTriggersSql } from './audit-schema.js'

/** A row of the log, as it is stored. */
export interface StoredAuditRow {
  /** From 1, without a gap. */
  readonly seq: number
  /** ISO 8601, UTC. */
  readonly at: string
  readonly actorKind: string
  readonly actorId: string
  readonly actorName: string
  readonly action: string
  readonly purpose: string | null
  readonly caseReference: string | null
  readonly approvalId: string | null
  readonly outcome: string
  /** JSON object. */
  readonly details: string
  /** JSON [[subject id, base64], …]. */
  readonly sealed: string
  readonly previousHash: Buffer
  readonly hash: Buffer
}

/** The end of the log. */
export interface StoredHead {
  readonly count: number
  readonly hash: Buffer
  readonly mac: Buffer
}

/** Which rows are wanted. What is undefined does not matter. */
export interface AuditRowFilter {
  /** Id or name of who did it. */
  readonly actor?: string | undefined
  readonly action?: string | undefined
  readonly outcome?: string | undefined
  readonly caseReference?: string | undefined
  /** ISO 8601, UTC: rows of this time or later. */
  readonly since?: string | undefined
  /** ISO 8601, UTC: rows before this time. */
  readonly until?: string | undefined
}

const columns = `seq, at, actor_kind AS actorKind, actor_id AS actorId, actor_name AS actorName, action, purpose,
  case_reference AS caseReference, approval_id AS approvalId, outcome, details, sealed, previous_hash AS previousHash, hash`

/** Reads and adds rows of the log. */
export class AuditRows {
  readonly #database: Database
  readonly #insert: Statement<[StoredAuditRow], unknown>
  readonly #head: Statement<[], StoredHead>
  readonly #setHead: Statement<[StoredHead], unknown>
  readonly #after: Statement<[number, number], StoredAuditRow>
  readonly #hashAt: Statement<[number], Buffer>

  constructor(database: Database) {
    this.#database = database
    this.#insert = database.prepare(
      `INSERT INTO audit_log (seq, at, actor_kind, actor_id, actor_name, action, purpose, case_reference, approval_id, outcome,
         details, sealed, previous_hash, hash)
       VALUES (@seq, @at, @actorKind, @actorId, @actorName, @action, @purpose, @caseReference, @approvalId, @outcome,
         @details, @sealed, @previousHash, @hash)`,
    )
    this.#head = database.prepare('SELECT count, hash, mac FROM audit_head WHERE id = 1')
    this.#setHead = database.prepare(
      `INSERT INTO audit_head (id, count, hash, mac) VALUES (1, @count, @hash, @mac)
       ON CONFLICT (id) DO UPDATE SET count = excluded.count, hash = excluded.hash, mac = excluded.mac`,
    )
    this.#after = database.prepare(`SELECT ${columns} FROM audit_log WHERE seq > ? ORDER BY seq LIMIT ?`)
    this.#hashAt = database.prepare<[number], Buffer>('SELECT hash FROM audit_log WHERE seq = ?').pluck()
  }

  insert(row: StoredAuditRow): void {
    this.#insert.run(row)
  }

  /** Undefined before the first row. */
  head(): StoredHead | undefined {
    return this.#head.get()
  }

  setHead(head: StoredHead): void {
    this.#setHead.run(head)
  }

  /** Rows after a number, in order. */
  after(seq: number, limit: number): StoredAuditRow[] {
    return this.#after.all(seq, limit)
  }

  /** Undefined if there is no such row. In a row that somebody changed, it may be of any type. */
  hashAt(seq: number): unknown {
    return this.#hashAt.get(seq)
  }

  /** The greatest number of a row; 0 if there is none. */
  lastSeq(): number {
    return (
      this.#database.prepare<[], number>('SELECT coalesce(max(seq), 0) FROM audit_log').pluck().get() ?? 0
    )
  }

  /** Rows that pass a filter. `newest`: those before number `after`, backwards; `oldest`: those after it. */
  select(
    { actor, action, outcome, caseReference, since, until }: AuditRowFilter,
    {
      after,
      limit,
      order,
    }: { readonly after: number | undefined; readonly limit: number; readonly order: 'newest' | 'oldest' },
  ): StoredAuditRow[] {
    const conditions = [
      ...(after === undefined ? [] : [order === 'newest' ? 'seq < @after' : 'seq > @after']),
      ...(actor === undefined ? [] : ['(actor_id = @actor OR actor_name = @actor)']),
      ...(action === undefined ? [] : ['action = @action']),
      ...(outcome === undefined ? [] : ['outcome = @outcome']),
      ...(caseReference === undefined ? [] : ['case_reference = @caseReference']),
      ...(since === undefined ? [] : ['at >= @since']),
      ...(until === undefined ? [] : ['at < @until']),
    ]
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
    return this.#database
      .prepare<[Record<string, string | number | null>], StoredAuditRow>(
        `SELECT ${columns} FROM audit_log ${where} ORDER BY seq ${order === 'newest' ? 'DESC' : 'ASC'} LIMIT @limit`,
      )
      .all({
        ...{ limit, after: after ?? null, actor: actor ?? null, action: action ?? null },
        ...{ outcome: outcome ?? null, caseReference: caseReference ?? null },
        ...{ since: since ?? null, until: until ?? null },
      })
  }

  /** True if the tables and triggers of the file are those that it was created with. */
  hasOwnSchema(): boolean {
    const found = this.#database
      .prepare<[], string>('SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL')
      .pluck()
      .all()
      .map(withoutSpaces)
    const expected = statementsOf(auditTablesSql).concat(triggersOf(auditTriggersSql))
    return expected.every((sql) => found.includes(sql)) && found.length === expected.length
  }
}

const withoutSpaces = (sql: string) =>
  sql
    .replace(/--[^\n]*/g, '')
    .replace(/\s+/g, ' ')
    .trim()

const statementsOf = (sql: string) =>
  withoutSpaces(sql)
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')

const triggersOf = (sql: string) =>
  withoutSpaces(sql)
    .split(/(?<=END);/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')
