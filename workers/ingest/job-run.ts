import { CameoError } from '../../pipeline/common/errors.js'
import type { CheckpointUpdate } from '../../pipeline/segments/segment-checkpoint.js'
import type { SegmentOutput, SegmentSpan } from '../../pipeline/segments/segment.js'
import type { PartHandlers, SegmentThread } from '../threads/segment-handle.js'
import type { ClipPlan, FrameProgress, SegmentRequest } from '../threads/thread-messages.js'
import type { ArchiveWriter } from './archive-writer.js'
import { checkUnchanged } from './file-stamp.js'
import type { IngestEvents } from './ingest-events.js'
import { requestsFor, retryOf, type Job } from './ingest-jobs.js'
import type { OpenClips } from './open-clips.js'
import type { WorkQueue } from './work-queue.js'

export interface JobRunOptions {
  readonly writer: ArchiveWriter
  readonly queue: WorkQueue
  readonly clips: OpenClips
  readonly events: IngestEvents
  readonly segmentLengthS: number
  readonly signal: AbortSignal
}

/**
 * One job on a thread. Stores the thread's results. After an error, queues the job again if that may help.
 */
export class JobRun implements PartHandlers {
  readonly #job: Job
  readonly #options: JobRunOptions
  /** Segments that are not stored yet. Empty for a clip without a plan. */
  #left: readonly SegmentSpan[]

  constructor(job: Job, options: JobRunOptions) {
    this.#job = job
    this.#options = options
    this.#left = job.request.kind === 'open' ? [] : job.request.segments
  }

  /**
   * Rejects with errors that end the whole run: errors of the archive (ARCHIVE_*), and errors that are not
   * CameoErrors.
   */
  async run(thread: SegmentThread): Promise<void> {
    const { clip } = this.#job
    try {
      if (clip.failure?.code === 'CLIP_CHANGED') throw clip.failure
      await thread.process(clip.file.path, this.#withCheckpoint(), this)
    } catch (error) {
      if (!(error instanceof CameoError)) throw error
      if (this.#options.signal.aborted || error.code === 'INTERRUPTED') return
      if (error.code.startsWith('ARCHIVE_')) throw error
      if (this.#tryAgain(error)) return
      clip.failure ??= error
      clip.givenUp.push(...this.#left)
    }
    this.#options.clips.endJob(clip)
  }

  onPlan(plan: ClipPlan): void {
    const { writer, events, clips } = this.#options
    const { clip } = this.#job
    checkUnchanged(clip.file)
    writer.storePlan(clip.clipId, plan, clip.file.stamp.sizeBytes)
    events.onMeasured(clip.file.path, plan.info.durationS)
    this.#left = plan.segments.slice(0, plan.taken)
    clips.addJobs(clip, requestsFor(plan.segments.slice(plan.taken), true))
  }

  onSegment(output: SegmentOutput): void {
    const { writer, events } = this.#options
    const { file, clipId } = this.#job.clip
    checkUnchanged(file)
    writer.storeSegment(clipId, output)
    this.#left = this.#left.filter(({ index }) => index !== output.segment.index)
    events.onSegment(file.path, output)
  }

  onFrames(progress: FrameProgress): void {
    this.#options.events.onFrames(this.#job.clip.file.path, progress)
  }

  onCheckpoint(update: CheckpointUpdate): void {
    const { file, clipId } = this.#job.clip
    checkUnchanged(file)
    this.#options.writer.storeCheckpoint(clipId, update)
  }

  onResume(segment: number, timeS: number): void {
    const { events, segmentLengthS } = this.#options
    const { path } = this.#job.clip.file
    events.onResumed(path, segment * segmentLengthS, timeS)
    events.onGoOn?.(path, timeS)
  }

  /** The request with the checkpoint of its first segment, from an earlier run or an earlier attempt. */
  #withCheckpoint(): SegmentRequest {
    const { request, clip } = this.#job
    if (request.kind === 'open') return request
    const [first] = request.segments
    return { ...request, resume: first && this.#options.writer.checkpointOf(clip.clipId, first.index) }
  }

  #tryAgain(error: CameoError): boolean {
    const again = retryOf(this.#job, this.#left, error)
    if (again === undefined) return false
    this.#options.queue.addJobs([again])
    return true
  }
}
