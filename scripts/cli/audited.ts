import { Option } from 'commander'
import type { AuditLog } from '../../index/audit/audit-log.js'
import { recordUse, type UseEntry } from '../../index/audit/record-use.js'
import type { FormatOptions } from './format-options.js'
import { note } from './output.js'

/** Why a command is run. */
export interface ReasonOptions {
  readonly purpose?: string
  readonly case?: string
}

/** `--purpose` and `--case`. */
export const reasonOptions = (): Option[] => [
  new Option('--purpose <text>', 'why you ask: for the audit log'),
  caseOption('number of the case that you ask for: for the audit log'),
]

export const caseOption = (description: string): Option => new Option('--case <number>', description)

/** The format in which an answer leaves for another program, if it is not only shown. */
export const exportedFormats = ({ format }: Pick<FormatOptions, 'format'>): string[] =>
  format === undefined || format === 'json' ? [] : [format]

/** Adds what a command does to the audit log of its archive. Call it before the answer is printed. */
export const audited = (
  archiveDir: string,
  entriesOf: (log: AuditLog) => readonly UseEntry[],
  { purpose, case: caseReference }: ReasonOptions = {},
): Promise<void> => recordUse(archiveDir, entriesOf, { purpose, caseReference, notify: note })
