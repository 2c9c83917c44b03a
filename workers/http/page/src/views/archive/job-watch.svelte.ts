import { jobs } from '../../api.js'
import { parsed } from '../../request.js'
import type { Job } from '../../types.js'

/** A file of an ingest, as its events tell. */
export interface JobFile {
  readonly path: string
  readonly durationS?: number
  readonly timeS?: number
  /** Of its result. */
  readonly status?: string
  readonly message?: string
}

type JobProgress = NonNullable<Job['progress']>

/** What an event of a job may carry. */
interface JobEvent {
  readonly kind: string
  readonly path?: string
  readonly durationS?: number
  readonly timeS?: number
  readonly result?: { readonly status?: string; readonly message?: string }
  readonly progress?: JobProgress
  /** Of `state` and `end`. */
  readonly job?: Job
}

export const hasEnded = ({ state }: Pick<Job, 'state'>): boolean => state !== 'running'

const mostFiles = 500

/** Follows a job by its events (server-sent). */
export class JobWatch {
  job = $state.raw<Job>()
  problem = $state.raw<unknown>()
  isLost = $state(false)
  /** The last that something was told of is the first. */
  files = $state.raw<readonly JobFile[]>([])
  /** The server counts, since it tells only the last events again. */
  progress = $state.raw<JobProgress>()
  readonly #jobId: string
  #source: EventSource | undefined
  /** Each start and stop begins a turn. */
  #turn = 0

  constructor(jobId: string) {
    this.#jobId = jobId
  }

  async start(): Promise<void> {
    this.problem = undefined
    const turn = ++this.#turn
    await this.#read()
    if (this.job === undefined || hasEnded(this.job) || turn !== this.#turn) return
    const source = (this.#source = new EventSource(jobs.eventsUrl(this.#jobId)))
    source.onopen = () => (this.isLost = false)
    source.onerror = () => {
      this.isLost = source.readyState === EventSource.CONNECTING
      // The stream ends with the job.
      void this.#read()
    }
    source.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (typeof data === 'string') this.#take(parsed<JobEvent>(data))
    }
  }

  stop(): void {
    this.#turn++
    this.#source?.close()
  }

  async #read(): Promise<void> {
    try {
      this.#takeJob(await jobs.show(this.#jobId))
    } catch (error) {
      this.problem = error
      this.stop()
    }
  }

  #take(event: JobEvent): void {
    if (event.job !== undefined) this.#takeJob(event.job)
    this.#takeProgress(event.progress)
    if (event.path !== undefined && event.kind !== 'found') this.#note(event.path, event)
  }

  #takeJob(job: Job): void {
    this.job = job
    this.#takeProgress(job.progress)
    if (!hasEnded(job)) return
    this.isLost = false
    this.stop()
  }

  /** Events before this page was opened are told again, with the progress after them. */
  #takeProgress(progress: JobProgress | undefined): void {
    if (progress !== undefined && sumOf(progress) >= sumOf(this.progress)) this.progress = progress
  }

  #note(path: string, { durationS, timeS, result }: JobEvent): void {
    const before = this.files.find((file) => file.path === path)
    const file: JobFile = {
      ...{ ...before, path },
      ...(durationS === undefined ? {} : { durationS }),
      ...(timeS === undefined ? {} : { timeS: Math.max(timeS, before?.timeS ?? 0) }),
      ...(result?.status === undefined ? {} : { status: result.status }),
      ...(result?.message === undefined ? {} : { message: result.message }),
    }
    const rest = this.files.filter((other) => other.path !== path)
    this.files = [file, ...rest.slice(0, mostFiles - 1)]
  }
}

/** None of the numbers ever falls. */
function sumOf(progress: JobProgress | undefined): number {
  if (progress === undefined) return -1
  const { found, isAllFound, done, faces = 0 } = progress
  return found + Number(isAllFound) + done + faces
}
