import { randomUUID } from 'node:crypto'
import type { ArchiveHost } from '../hosts/archive-host.js'
import type { JobOrder } from './job-desk.js'
import type { KeptReports } from './kept-reports.js'

type Work = JobOrder['work']
type Host = Pick<ArchiveHost, 'call'>

/** Adds clips to the archive. */
export const ingestWork =
  (host: Host, paths: readonly string[]): Work =>
  async (signal, onEvent) => {
    const result = await host.call('ingest', paths, { signal, onEvent })
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
    const { rankings, ...report } = await host.call('evaluateMap', { groundTruth, signal })
    const evaluationId = randomUUID()
    const at = new Date().toISOString()
    reports.write({ evaluationId, at, ...report, rankings: Object.fromEntries(rankings) })
    return { isInterrupted: false, result: { evaluationId, map: report.map, ci95: report.ci95 } }
  }
