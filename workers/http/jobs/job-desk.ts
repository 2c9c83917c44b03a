import { randomUUID } from 'node:crypto'
import type { AuditActor } from '../../../index/audit/audit-entry.js'
import { Deferred } from '../../../pipeline/common/deferred.js'
import { CameoError, messageOf } from '../../../pipeline/common/errors.js'
import type { ClipEvent } from '../../library/clip-events.js'
import { EventBuffer } from './event-buffer.js'
import type { Job, JobEvent, JobEvents, JobKind, JobProgress, JobState } from './job.js'
import { SparseFrames } from './sparse-frames.js'

/** What a job does. */
export interface JobOrder {
  readonly kind: JobKind
  readonly startedBy: AuditActor
  readonly paths?: readonly string[]
  /** Does the work. @param tell for the events of clips @returns what the job answers, as JSON has it */
  readonly work: (signal: AbortSignal, tell: (event: ClipEvent) => void) => Promise<WorkResult>
}

export interface WorkResult {
  /** The work ended early because of its signal. */
  readonly isInterrupted: boolean
  readonly result: unknown
}

interface Held {
  job: Job
  readonly events: JobEvents
  readonly stop: AbortController
  readonly ended: Promise<void>
}

const mostJobs = 100
const mostEvents = 1000

/** Runs long work, one of each kind at a time. It goes on when whoever started it has gone. */
export class JobDesk {
  /** In order of their starts. */
  readonly #held = new Map<string, Held>()
  readonly #now: () => Date
  readonly #onEnd: (job: Job) => Promise<void>
  #isClosed = false

  /** @param onEnd called with a job that has ended, before anybody is told; its errors are its own */
  constructor({
    now = () => new Date(),
    onEnd = () => Promise.resolve(),
  }: { readonly now?: () => Date; readonly onEnd?: (job: Job) => Promise<void> } = {}) {
    this.#now = now
    this.#onEnd = onEnd
  }

  /** @throws ARCHIVE_BUSY if one of this kind runs already; INTERRUPTED if the server is stopping */
  start({ kind, startedBy, paths, work }: JobOrder): Job {
    if (this.#isClosed) throw new CameoError('INTERRUPTED', 'the server is stopping')
    if (this.running(kind) > 0)
      throw new CameoError(
        'ARCHIVE_BUSY',
        `another job of this kind (${kind}) runs already: wait for its end, or stop it`,
      )
    const job: Job = {
      ...{ jobId: randomUUID(), kind, state: 'running', startedBy, paths },
      ...{ startedAt: this.#now().toISOString(), endedAt: undefined, result: undefined, error: undefined },
      progress: kind === 'ingest' ? { found: 0, isAllFound: false, done: 0 } : undefined,
    }
    const stop = new AbortController()
    const ended = new Deferred<void>()
    const held: Held = { job, events: new EventBuffer<JobEvent>(mostEvents), stop, ended: ended.promise }
    this.#held.set(job.jobId, held)
    this.#dropOldest()
    void this.#run(held, work).finally(() => ended.resolve())
    return job
  }

  /** All that are remembered, the newest first. */
  list(): readonly Job[] {
    return [...this.#held.values()].map(({ job }) => job).reverse()
  }

  find(jobId: string): { readonly job: Job; readonly events: JobEvents } | undefined {
    return this.#held.get(jobId)
  }

  /** The number of running jobs of a kind. */
  running(kind: JobKind): number {
    return this.list().filter((job) => job.kind === kind && job.state === 'running').length
  }

  /** Tells a job to stop. It may take a while until it has. */
  stop(jobId: string): void {
    this.#held.get(jobId)?.stop.abort()
  }

  /** Stops all jobs and waits for their ends. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const { stop } of this.#held.values()) stop.abort()
    await Promise.all([...this.#held.values()].map(({ ended }) => ended))
  }

  async #run(held: Held, work: JobOrder['work']): Promise<void> {
    const frames = new SparseFrames()
    const tell = (event: ClipEvent) => {
      const progress = progressAfter(held.job.progress, event)
      held.job = { ...held.job, progress }
      if (frames.isWorthTelling(event)) held.events.add({ ...event, progress })
    }
    let end: Partial<Job>
    try {
      const { isInterrupted, result } = await work(held.stop.signal, tell)
      end = { state: isInterrupted ? this.#stoppedState() : 'done', result }
    } catch (error) {
      end = this.#endAfter(error, held)
    }
    const job = { ...held.job, ...end, endedAt: this.#now().toISOString() }
    await this.#onEnd(job)
    held.job = job
    held.events.add({ kind: 'end', job })
  }

  #endAfter(error: unknown, { stop }: Held): Partial<Job> {
    const isStopped = stop.signal.aborted && error instanceof CameoError && error.code === 'INTERRUPTED'
    return isStopped ? { state: this.#stoppedState() } : { state: 'failed', error: errorOf(error) }
  }

  #stoppedState(): JobState {
    return this.#isClosed ? 'interrupted' : 'stopped'
  }

  #dropOldest(): void {
    for (const [jobId, { job }] of this.#held) {
      if (this.#held.size <= mostJobs) return
      if (job.state !== 'running') this.#held.delete(jobId)
    }
  }
}

function progressAfter(before: JobProgress | undefined, event: ClipEvent): JobProgress | undefined {
  if (before === undefined) return undefined
  if (event.kind === 'found') return { ...before, found: before.found + 1 }
  if (event.kind === 'all-found') return { ...before, isAllFound: true }
  if (event.kind === 'frames') return { ...before, faces: (before.faces ?? 0) + event.faces }
  // Files that are no clips were not found either.
  const isDone = event.kind === 'result' && event.result.status !== 'skipped'
  return isDone ? { ...before, done: before.done + 1 } : before
}

const errorOf = (error: unknown) =>
  error instanceof CameoError
    ? { code: error.code, detail: error.message }
    : { code: 'MESSAGE_FAILED', detail: messageOf(error) }
