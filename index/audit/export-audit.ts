import { createHash, type KeyObject } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { z } from 'zod'
import { CameoError } from '../../pipeline/common/errors.js'
import { readSigningKeys } from './archive-keys.js'
import type { AuditLog } from './audit-log.js'
import { emptyHead, type ChainEnd } from './chain.js'
import { recordOf } from './list-audit.js'
import { isSignedBy, signatureOf } from './signatures.js'

const pageRows = 500

export interface AuditExportOptions {
  readonly archiveId: string
  /** Only rows after this one. Default: 0. */
  readonly after?: number | undefined
}

/**
 * The log as lines of JSON: what the archive is, each row with its hash, and a signed end. What the rows say about
 * forgotten subjects is `erased`. Rows that are added meanwhile are not part of it.
 */
export async function* exportAudit(
  log: AuditLog,
  { archiveId, after = 0 }: AuditExportOptions,
): AsyncGenerator<string> {
  const hash = createHash('sha256')
  const line = (value: object) => {
    const text = `${JSON.stringify(value)}\n`
    hash.update(text)
    return text
  }
  const until = log.rows.lastSeq()
  yield line({ kind: 'audit-export', version: 1, archiveId, after })
  let end: ChainEnd = { ...emptyHead, count: after }
  for (;;) {
    const page = log.rows.after(end.count, pageRows).filter(({ seq }) => seq <= until)
    for (const row of page) {
      yield line({
        kind: 'row',
        ...recordOf(row, log.keys),
        sealed: row.sealed,
        previousHash: row.previousHash.toString('hex'),
      })
      end = { count: row.seq, hash: row.hash }
    }
    if (page.length < pageRows) break
    await nextTurn()
  }
  const head = {
    ...{ kind: 'head', archiveId, at: new Date(log.now()).toISOString() },
    ...{ after, count: end.count, hash: end.hash.toString('hex'), sha256: hash.digest('hex') },
  }
  yield `${JSON.stringify({ ...head, signature: signatureOf(readSigningKeys(log.dir), head) })}\n`
}

const rowSchema = z.looseObject({
  kind: z.literal('row'),
  seq: z.int(),
  previousHash: z.string(),
  hash: z.string(),
})
const startSchema = z.object({
  kind: z.literal('audit-export'),
  version: z.literal(1),
  archiveId: z.string(),
  after: z.int(),
})
const headSchema = z.object({
  kind: z.literal('head'),
  archiveId: z.string(),
  at: z.string(),
  after: z.int(),
  count: z.int(),
  hash: z.string(),
  sha256: z.string(),
  signature: z.string(),
})

/** What a checked export holds. */
export interface CheckedExport {
  readonly archiveId: string
  /** When it was made, ISO 8601. */
  readonly at: string
  readonly rows: number
}

/**
 * Checks an export without its archive: its signature, that no line was changed, and that each row follows the one before.
 * @param lines of the file, without line ends
 * @throws AUDIT_EXPORT_INVALID
 */
export async function verifyExport(
  lines: AsyncIterable<string> | Iterable<string>,
  publicKey: KeyObject,
): Promise<CheckedExport> {
  const check = new ExportCheck()
  for await (const line of lines) if (line !== '') check.add(line)
  return check.finish(publicKey)
}

class ExportCheck {
  readonly #hash = createHash('sha256')
  #last: string | undefined
  #at: { seq: number; hash: string } | undefined
  #start: z.infer<typeof startSchema> | undefined
  #rows = 0

  /** The last line is not part of what the head says. */
  add(line: string): void {
    if (this.#last !== undefined) this.#take(this.#last)
    this.#last = line
  }

  finish(publicKey: KeyObject): CheckedExport {
    const head = read(headSchema, this.#last, 'its last line is not the signed end: it was cut off')
    const { signature, ...signed } = head
    if (!isSignedBy(publicKey, signed, signature))
      throw invalid('its signature is not of the owner of this key')
    if (this.#hash.digest('hex') !== head.sha256) throw invalid('lines were changed, added or removed')
    const rows = head.count - head.after
    const hash = this.#at?.hash ?? emptyHead.hash.toString('hex')
    if (rows !== this.#rows || head.hash !== hash)
      throw invalid(`it has ${this.#rows} rows, and its end tells of ${rows}`)
    return { archiveId: head.archiveId, at: head.at, rows }
  }

  #take(line: string): void {
    this.#hash.update(`${line}\n`)
    if (this.#start === undefined) {
      this.#start = read(startSchema, line, 'its first line does not say what it is')
      return
    }
    const { seq, previousHash, hash } = read(
      rowSchema,
      line,
      `line ${this.#rows + 2} is not a row of an audit log`,
    )
    const expected = this.#start.after + this.#rows + 1
    if (seq !== expected) throw invalid(`row ${expected} is missing`)
    if (this.#at !== undefined && previousHash !== this.#at.hash)
      throw invalid(`row ${seq} does not follow the row before it`)
    this.#at = { seq, hash }
    this.#rows++
  }
}

function read<T>(schema: z.ZodType<T>, line: string | undefined, problem: string): T {
  try {
    return schema.parse(JSON.parse(line ?? ''))
  } catch {
    throw invalid(problem)
  }
}

const invalid = (problem: string) =>
  new CameoError('AUDIT_EXPORT_INVALID', `the export of the audit log cannot be trusted: ${problem}`)
