import type { AuditActor } from '../../../index/audit/audit-entry.js'
import type { ClipEvent } from '../../library/clip-events.js'
import type { EventBuffer } from './event-buffer.js'

export const jobKinds = ['ingest', 'group', 'evaluate'] as const
export type JobKind = (typeof jobKinds)[number]

/** `stopped`: by a person; `interrupted`: because the server stopped. In both cases finished work is kept. */
export const jobStates = ['running', 'done', 'failed', 'stopped', 'interrupted'] as const
export type JobState = (typeof jobStates)[number]

/** How far an ingest is, in files. */
export interface JobProgress {
  readonly found: number
  /** All files are found. */
  readonly isAllFound: boolean
  readonly done: number
  /** Found in the frames that were looked at. Absent at first, and if workers in other processes do the work. */
  readonly faces?: number
}

/** Why a job failed. */
export interface JobError {
  readonly code: string
  readonly detail: string
}

/** Long work that runs, or ran. */
export interface Job {
  readonly jobId: string
  readonly kind: JobKind
  readonly state: JobState
  readonly startedBy: AuditActor
  /** Absolute paths of an ingest. */
  readonly paths: readonly string[] | undefined
  readonly startedAt: string
  readonly endedAt: string | undefined
  readonly progress: JobProgress | undefined
  /** What the library answers. */
  readonly result: unknown
  readonly error: JobError | undefined
}

/** What happens within a job: events of clips, with the progress after them; `state` and `end` carry the job as it is then. */
export type JobEvent =
  | (ClipEvent & { readonly progress?: JobProgress | undefined })
  | { readonly kind: 'state' | 'end'; readonly job: Job }

export type JobEvents = EventBuffer<JobEvent>
