import { clipName } from '../../pipeline/common/display-name.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { segmentSpans } from '../../pipeline/segments/segment-spans.js'
import type { Run } from '../../index/store/clip-facts.js'
import type { SegmentRequest } from '../threads/thread-messages.js'
import type { ArchiveWriter } from './archive-writer.js'
import type { ClipResults, Outcome } from './clip-results.js'
import type { IngestEvents } from './ingest-events.js'
import { requestsFor, type ClipFile, type OpenClip } from './ingest-jobs.js'
import type { WorkQueue } from './work-queue.js'

export interface OpenClipsOptions {
  readonly writer: ArchiveWriter
  readonly queue: WorkQueue
  readonly results: ClipResults
  readonly events: IngestEvents
  readonly segmentLengthS: number
  readonly isForgotten: (clipId: string) => boolean
}

/** The clips in progress: the remaining jobs of each, and its result after the last job. */
export class OpenClips {
  readonly #options: OpenClipsOptions
  readonly #open = new Map<string, OpenClip>()
  readonly #clipIds = new Set<string>()
  /** Clips that this run has done. */
  readonly #done = new Set<string>()

  constructor(options: OpenClipsOptions) {
    this.#options = options
  }

  /** Ids of all clips found, done or not. */
  get clipIds(): ReadonlySet<string> {
    return this.#clipIds
  }

  /** Gives a file with known content its result, or queues jobs for it. True if there are jobs now. */
  takeUp(file: ClipFile, clipId: string): boolean {
    const { writer, results, isForgotten } = this.#options
    this.#clipIds.add(clipId)
    if (isForgotten(clipId)) {
      results.report(file, clipId, { status: 'forgotten' })
      return false
    }
    const other = this.#open.get(clipId)
    if (other !== undefined) {
      other.duplicates.push(file)
      return false
    }
    writer.dropUnusable(clipId)
    const run = writer.runOf(clipId)
    if (run?.state === 'done') {
      results.report(file, clipId, { status: this.#done.has(clipId) ? 'duplicate' : 'unchanged', run })
      return false
    }
    const clip: OpenClip = { clipId, file, duplicates: [], jobs: 0, givenUp: [], failure: undefined }
    this.#open.set(clipId, clip)
    if (run === undefined) this.addJobs(clip, [{ kind: 'open' }])
    else this.#goOn(clip, run)
    return true
  }

  addJobs(clip: OpenClip, requests: readonly SegmentRequest[]): void {
    clip.jobs += requests.length
    this.#options.queue.addJobs(requests.map((request) => ({ clip, request, attempt: 1 })))
  }

  /** One job of the clip ended, successfully or not. */
  endJob(clip: OpenClip): void {
    clip.jobs--
    if (clip.jobs === 0) this.#close(clip)
  }

  /** An earlier run planned the clip: only the segments that it did not store remain. */
  #goOn(clip: OpenClip, run: Run): void {
    const { writer, events, segmentLengthS } = this.#options
    const { path } = clip.file
    events.onMeasured(path, writer.durationOf(clip.clipId))
    const spans = segmentSpans(run.segments, segmentLengthS)
    for (const { index, startS, endS } of spans)
      if (run.stored.has(index)) events.onResumed(path, startS, endS)
    const missing = spans.filter(({ index }) => !run.stored.has(index))
    this.addJobs(clip, requestsFor(missing, run.cuttable))
  }

  #close(clip: OpenClip): void {
    const { writer, results, queue } = this.#options
    const { clipId, failure } = clip
    // A changed file does not affect its old content, which may lie elsewhere.
    if (failure !== undefined && failure.code !== 'CLIP_CHANGED' && this.#hasStored(clipId))
      writer.giveUp(clipId, clip.givenUp, failure)
    writer.dropEmptyRun(clipId)
    const run = writer.runOf(clipId)
    const status = run?.state === 'done' || run?.state === 'partial' ? run.state : 'failed'
    this.#open.delete(clipId)
    if (status === 'done') this.#done.add(clipId)
    const outcome: Outcome = { status, run, failure }
    results.report(clip.file, clipId, outcome)
    // The other files still hold the content: the next of them takes its place.
    if (failure?.code === 'CLIP_CHANGED' || failure?.code === 'CLIP_GONE')
      for (const { found } of clip.duplicates) queue.addFile(found)
    else this.#reportDuplicates(clip, outcome)
    queue.notify()
  }

  #reportDuplicates(
    { clipId, file: processed, duplicates }: OpenClip,
    { status, run, failure }: Outcome,
  ): void {
    for (const file of duplicates)
      this.#options.results.report(file, clipId, {
        status: status === 'done' ? 'duplicate' : status,
        run,
        failure: failure === undefined ? undefined : asDuplicate(file, processed, failure),
      })
  }

  #hasStored(clipId: string): boolean {
    return (this.#options.writer.runOf(clipId)?.stored.size ?? 0) > 0
  }
}

/** The failure of one file, reported for another file with the same content. */
function asDuplicate(file: ClipFile, processed: ClipFile, { code, message }: CameoError): CameoError {
  return new CameoError(
    code,
    `${clipName(file.path)} has the content of ${clipName(processed.path)}: ${message}`,
  )
}
