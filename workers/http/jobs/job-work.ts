import { randomUUID } from 'node:crypto'
import { CameoError } from '../../../pipeline/common/errors.js'
import type { ArchiveHost } from '../hosts/archive-host.js'
import type { AllowedIngest } from './ingest-paths.js'
import type { JobOrder } from './job-desk.js'
import type { KeptReports } from './kept-reports.js'

type Work = JobOrder['work']
type Host = Pick<ArchiveHost, 'call'>

/** Adds clips to the archive. */
export const ingestWork =
  (host: Host, { paths, within }: AllowedIngest): Work =>
  async (signal, onEvent) => {
    const result = await host.call('ingest', paths, { within, signal, onEvent })
    return { isInterrupted: result.status === 'interrupted', result }
  }

/** Groups tracks into people. */
export const groupWork =
  (host: Host, again: boolean): Work =>
  async (signal) => ({ isInterrupted: false, result: await host.call('groupPeople', { again, signal }) })

/** Measures how well the enrolled names are found, and keeps the report. @param groundTruth a file; it is read at once */
export const evaluateWork =
  (host: Host, groundTruth: string, reports: KeptReports): Work =>
  async (signal) => {
    const { rankings, ...report } = await host
      .call('evaluateMap', { groundTruth, signal })
      .catch((error: unknown) => {
        throw withoutPath(error, groundTruth)
      })
    const evaluationId = randomUUID()
    const at = new Date().toISOString()
    reports.write({ evaluationId, at, ...report, rankings: Object.fromEntries(rankings) })
    return { isInterrupted: false, result: { evaluationId, map: report.map, ci95: report.ci95 } }
  }

/** Users know the list that they sent, not where the server keeps it. */
function withoutPath(error: unknown, path: string): unknown {
  if (!(error instanceof CameoError)) return error
  const { code, retriable, details } = error
  return new CameoError(code, error.message.replaceAll(path, 'the list'), {
    retriable,
    details,
    cause: error,
  })
}
