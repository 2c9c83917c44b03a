import { z } from 'zod'
import type { AuditEntry } from '../../../index/audit/audit-entry.js'
import type { Job } from '../jobs/job.js'

const resultSchema = z.record(z.string(), z.unknown())

/** The end of a job: how it ended, and figures. It tells of no file and of nobody. */
export const jobEndEntry = ({ jobId, kind, state, startedBy, progress, result, error }: Job): AuditEntry => ({
  ...{ actor: startedBy, action: kind, outcome: state === 'failed' ? 'failed' : 'done' },
  details: {
    ...{ jobId, state, code: error?.code, found: progress?.found, processed: progress?.done },
    ...figuresOf(result),
  },
})

/** Those of its fields that are numbers. */
function figuresOf(result: unknown): Readonly<Record<string, number>> {
  const fields = resultSchema.safeParse(result)
  return Object.fromEntries(
    Object.entries(fields.data ?? {}).flatMap(([name, value]) =>
      typeof value === 'number' && Number.isFinite(value) ? [[name, value] as const] : [],
    ),
  )
}
