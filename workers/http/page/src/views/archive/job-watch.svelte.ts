import { jobs } from '../../api.js'
import { parsed } from '../../request.js'
import type { Job } from '../../types.js'

/** A file of an ingest, as its events tell. */
export interface JobFile {
  readonly path: string
  readonly durationS?: number
  readonly timeS?: number
  readonly faces?: number
  /** Of its result. */
  readonly status?: string
  readonly message?: string
}

/** What an event of a job may carry. */
interface JobEvent {
  readonly kind?: string
  readonly path?: string
  readonly durationS?: number
  readonly timeS?: number
  readonly faces?: number
  readonly state?: Job['state']
  readonly job?: Job
  readonly result?: {
    readonly status?: string
    readonly message?: string
    readonly error?: { readonly message?: string }
  }
  readonly done?: number
  readonly total?: number
}

const finalStates = ['done', 'failed', 'stopped', 'interrupted']
export const hasEnded = ({ state }: Pick<Job, 'state'>): boolean => finalStates.includes(state)

const eventNames = ['message', 'event', 'progress', 'clip', 'state', 'end', 'job', 'notice']
const mostFiles = 500

/** Follows a job by its events (server-sent). */
export class JobWatch {
  job = $state.raw<Job>()
  problem = $state.raw<unknown>()
  isLost = $state(false)
  files = $state.raw<ReadonlyMap<string, JobFile>>(new Map())
  found = $state(0)
  isAllFound = $state(false)
  done = $state(0)
  faces = $state(0)
  readonly #jobId: string
  readonly #onended: () => void
  #source: EventSource | undefined

  constructor(jobId: string, onended: () => void = () => undefined) {
    this.#jobId = jobId
    this.#onended = onended
  }

  async start(): Promise<void> {
    await this.#read()
    if (this.job === undefined || hasEnded(this.job)) return
    const source = (this.#source = new EventSource(jobs.eventsUrl(this.#jobId)))
    source.onopen = () => (this.isLost = false)
    source.onerror = () => {
      this.isLost = source.readyState === EventSource.CONNECTING
      // The stream ends with the job.
      void this.#read()
    }
    for (const name of eventNames)
      source.addEventListener(name, (event: MessageEvent<unknown>) => {
        if (typeof event.data === 'string') this.#take(parsed<JobEvent>(event.data))
      })
  }

  stop(): void {
    this.#source?.close()
  }

  async #read(): Promise<void> {
    try {
      this.job = await jobs.show(this.#jobId)
      if (!hasEnded(this.job)) return
      this.isLost = false
      this.#source?.close()
      this.#onended()
    } catch (error) {
      this.problem = error
      this.#source?.close()
    }
  }

  #take(event: JobEvent): void {
    if (event.job !== undefined) this.#takeJob(event.job)
    const { kind, path } = event
    if (kind === 'found') this.found++
    if (kind === 'all-found') this.isAllFound = true
    if (path !== undefined && kind !== 'found') this.#note(path, event)
    if (kind === 'end' || (event.state !== undefined && hasEnded({ state: event.state }))) void this.#read()
  }

  /** Files may have been told of before this page listened. */
  #takeJob(job: Job): void {
    this.job = job
    this.found = Math.max(this.found, job.progress?.found ?? 0)
    this.done = Math.max(this.done, job.progress?.done ?? 0)
    this.isAllFound ||= job.progress?.isAllFound === true
  }

  #note(path: string, { kind, durationS, timeS, faces, result }: JobEvent): void {
    const before = this.files.get(path)
    if (kind === 'result' && before?.status === undefined) this.done++
    if (kind === 'frames' && faces !== undefined) this.faces += Math.max(0, faces - (before?.faces ?? 0))
    const message = result?.message ?? result?.error?.message
    const file: JobFile = {
      ...{ ...before, path },
      ...(durationS === undefined ? {} : { durationS }),
      ...(timeS === undefined ? {} : { timeS: Math.max(timeS, before?.timeS ?? 0) }),
      ...(faces === undefined ? {} : { faces }),
      ...(result?.status === undefined ? {} : { status: result.status }),
      ...(message === undefined ? {} : { message }),
    }
    const rest = [...this.files].filter(([key]) => key !== path)
    this.files = new Map<string, JobFile>([[path, file], ...rest.slice(0, mostFiles - 1)])
  }
}
