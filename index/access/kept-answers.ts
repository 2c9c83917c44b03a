import { CameoError } from '../../pipeline/common/errors.js'
import { hasAccessDatabase } from '../store/access/access-database.js'
import {
  beginAnswer,
  deleteAnswer,
  deleteAnswersBefore,
  deleteFinishedAnswers,
  findAnswer,
  storeAnswer,
  type AnswerKey,
} from '../store/access/kept-answers.js'
import { translateSqliteErrors } from '../store/database.js'
import { emptyLog } from '../store/erasure.js'
import { inTransaction } from '../store/transaction.js'
import { openAccess, type Access } from './access.js'

const answersLastMs = 24 * 3600_000
/** A write that is not answered by then was interrupted, for example because its process was killed. */
const writesLastMs = 10 * 60_000

export interface KeptAnswer {
  /** HTTP status. */
  readonly status: number
  readonly body: string
}

/**
 * Begins a write that the client may send again with the same key, for example after a lost connection.
 * @param key the actor, and the key that the client chose
 * @param requestDigest of all that the request says
 * @returns the answer to the same write, if it was done before; undefined: do it, then call `finishWrite` or `abandonWrite`
 * @throws IDEMPOTENCY_CONFLICT if the key was used for another request, or the same one still runs
 */
export function beginWrite(access: Access, key: AnswerKey, requestDigest: string): KeptAnswer | undefined {
  const { database, now } = access
  return inTransaction(database, () => {
    const startedAtMs = now()
    deleteAnswersBefore(database, startedAtMs - answersLastMs)
    const found = findAnswer(database, key)
    if (found !== undefined && found.requestDigest !== requestDigest)
      throw new CameoError('IDEMPOTENCY_CONFLICT', 'this idempotency key was used for another request')
    if (found !== undefined && found.status !== null) return { status: found.status, body: found.body ?? '' }
    if (found !== undefined && startedAtMs < found.startedAtMs + writesLastMs)
      throw new CameoError('IDEMPOTENCY_CONFLICT', 'the request with this idempotency key still runs', {
        retriable: true,
      })
    beginAnswer(database, { ...key, requestDigest, startedAtMs })
    return undefined
  })
}

/** Keeps the answer for a day. */
export const finishWrite = ({ database }: Access, key: AnswerKey, answer: KeptAnswer): void =>
  storeAnswer(database, key, answer)

/** The write failed and changed nothing: it can be tried again with the same key. */
export const abandonWrite = ({ database }: Access, key: AnswerKey): void => deleteAnswer(database, key)

/**
 * Call this when somebody is forgotten: answers may hold names.
 * @returns false if another process reads them at this moment: their bytes stay in SQLite's log file until the next call
 */
export function eraseKeptAnswers({ database }: Access): boolean {
  deleteFinishedAnswers(database)
  return emptyLog(database)
}

/** The same for an archive, if it was ever served. If it fails, the caller is told: the erasure itself is done. */
export function eraseKeptAnswersOf(archiveDir: string, notify: (notice: string) => void): void {
  if (!hasAccessDatabase(archiveDir)) return
  try {
    const access = openAccess(archiveDir)
    try {
      if (!translateSqliteErrors(archiveDir, () => eraseKeptAnswers(access)))
        notify(
          'the answers that the server keeps for repeated requests are erased, but another process reads them: their bytes stay in access.sqlite-wal until the next erasure',
        )
    } finally {
      access.close()
    }
  } catch (error) {
    if (!(error instanceof CameoError)) throw error
    notify(
      `the answers that the server keeps for repeated requests could not be erased; they may name what was erased, and are kept for up to a day: ${error.message}`,
    )
  }
}
