import { CameoError } from '../../pipeline/common/errors.js'
import type { AuditActor, AuditEntry } from './audit-entry.js'
import { AuditLog } from './audit-log.js'
import { systemActor } from './system-actor.js'

/** Why somebody uses the archive. */
export interface UseReason {
  readonly purpose?: string | undefined
  readonly caseReference?: string | undefined
}

export interface RecordOptions extends UseReason {
  /** Default: the user of this process. */
  readonly actor?: AuditActor
  /** Refuse if the entry cannot be added. Default: tell `notify` and go on. */
  readonly isRequired?: boolean
  readonly notify: (notice: string) => void
}

/** An entry without who and why. */
export type UseEntry = Omit<AuditEntry, 'actor' | 'purpose' | 'caseReference' | 'outcome'>

/**
 * Adds what was done with an archive to its audit log. Call it before the answer is shown.
 * @param entriesOf makes the entries; the log gives the digests of photos
 * @throws the errors of `AuditLog` if the entry is required
 */
export async function recordUse(
  archiveDir: string,
  entriesOf: (log: AuditLog) => readonly UseEntry[],
  { actor = systemActor(), purpose, caseReference, isRequired = false, notify }: RecordOptions,
): Promise<void> {
  try {
    const log = AuditLog.open(archiveDir)
    try {
      const entries = entriesOf(log)
      await Promise.all(
        entries.map((entry) => log.append({ ...entry, actor, purpose, caseReference, outcome: 'done' })),
      )
    } finally {
      log.close()
    }
  } catch (error) {
    if (!(error instanceof CameoError) || isRequired) throw error
    notify(`this is not in the audit log: ${error.message}`)
  }
}
