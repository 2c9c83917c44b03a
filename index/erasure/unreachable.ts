import { subjectIdsOf } from '../audit/sealed-parts.js'
import type { AuditLog } from '../audit/audit-log.js'
import { usesTopics } from '../store/erased-rows.js'
import type { Database } from '../store/sqlite.js'
import type { Unreachable } from './receipt.js'

const mostDates = 100
const pageRows = 1000

/** What an erasure cannot reach, as far as the archive and its log know. @param subjectIds of the log, before their keys go */
export function findUnreachable(
  database: Database,
  log: AuditLog,
  subjectIds: readonly number[],
): Unreachable[] {
  const found: Unreachable[] = []
  if (usesTopics(database))
    found.push(
      {
        what: 'topics',
        text: 'the topics keep messages with tracks, faces and names for as long as their retention says',
      },
      {
        what: 'dead-letters',
        text: 'the topics of dead letters keep messages that failed until they are replayed or their retention ends',
      },
    )
  const backups = datesOf(log, 'backup', () => true)
  found.push({
    what: 'backups',
    text:
      backups.length === 0
        ? 'the audit log knows of no backup; any that was made contains what was erased'
        : 'backups contain what was erased; it is erased again when one is restored together with this receipt',
    ...counted(backups),
  })
  const wanted = new Set(subjectIds)
  const exports = datesOf(log, 'export', (sealed) => subjectIdsOf(sealed).some((id) => wanted.has(id)))
  if (exports.length > 0)
    found.push({ what: 'exports', text: 'files that were exported are not reached', ...counted(exports) })
  found.push({
    what: 'copies',
    text: 'the video files stay; copies and printed or exported answers that the audit log does not know of are not reached',
  })
  return found
}

const counted = (dates: readonly string[]) =>
  dates.length === 0 ? {} : { count: dates.length, dates: dates.slice(-mostDates) }

/** When entries of an action were added, oldest first. */
function datesOf(log: AuditLog, action: string, isMeant: (sealed: string) => boolean): string[] {
  const dates: string[] = []
  for (let after = 0; ;) {
    const rows = log.rows.select({ action, outcome: 'done' }, { after, limit: pageRows, order: 'oldest' })
    for (const { at, sealed } of rows) if (isMeant(sealed)) dates.push(at)
    const last = rows.at(-1)
    if (rows.length < pageRows || last === undefined) return dates
    after = last.seq
  }
}
