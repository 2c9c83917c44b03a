import { randomUUID } from 'node:crypto'
import { CameoError } from '../../../../pipeline/common/errors.js'
import type { SegmentOutput, SegmentSpan } from '../../../../pipeline/segments/segment.js'
import type { CheckpointFolder } from '../../../checkpoints/checkpoint-folder.js'
import { factsOf, requestAgain } from '../../../ingest/ingest-jobs.js'
import { withoutSecrets } from '../../../remote-clips/clip-access.js'
import type { OpenedClip } from '../../../remote-clips/opened-clip.js'
import type { SegmentThread } from '../../../threads/segment-handle.js'
import type { ClipPlan, SegmentRequest } from '../../../threads/thread-messages.js'
import type { OutMessage } from '../../broker/out-messages.js'
import { topicName } from '../../broker/topics.js'
import { encodeMessage, jobKey, versionFor, type WirePlan } from '../../messages/schemas.js'
import { segmentMessages } from '../../messages/segment-messages.js'
import { JobCheckpoints, resumedRequest } from './job-checkpoints.js'
import type { JobState } from './job-state.js'
import type { WorkerContext } from '../shared/stage-worker.js'

export interface ClipAttemptOptions {
  readonly context: Pick<WorkerContext, 'connection' | 'publisher' | 'log'>
  readonly checkpoints: CheckpointFolder | undefined
  /** State that the next attempt continues from. */
  readonly state: JobState
  readonly clip: OpenedClip
  readonly clipId: string
  /** Number of values of an embedding. */
  readonly dimension: number
}

/** One attempt at a job. Publishes the thread's results as they arrive. */
export class ClipAttempt {
  readonly #options: ClipAttemptOptions
  readonly #id = randomUUID()
  readonly #request: SegmentRequest
  readonly #kept: JobCheckpoints
  readonly #sent: Promise<void>[] = []

  constructor(options: ClipAttemptOptions) {
    const { checkpoints, state, clipId } = options
    const key = { clipId, recipe: state.job.recipe.digest }
    this.#options = options
    this.#request = resumedRequest(state.request, checkpoints, key, state.name)
    this.#kept = new JobCheckpoints(checkpoints, key, state.name)
  }

  /** Resolves when all results are durable. */
  async run(thread: Pick<SegmentThread, 'process'>, signal: AbortSignal): Promise<void> {
    try {
      await this.#process(thread, signal)
    } catch (error) {
      // Published segments count; the next attempt processes the rest.
      await this.#kept.settled()
      await Promise.all(this.#sent)
      throw this.#failure(error)
    }
    await Promise.all(this.#sent)
    await this.#kept.close()
  }

  async #process(thread: Pick<SegmentThread, 'process'>, signal: AbortSignal): Promise<void> {
    const { clip, context, state } = this.#options
    const uri = withoutSecrets(state.job.source.uri)
    const handlers = {
      onPlan: (plan: ClipPlan) => this.#takePlan(plan),
      onSegment: (output: SegmentOutput) => this.#takeSegment(output),
      onFrames: () => undefined,
      onCheckpoint: (update: Parameters<JobCheckpoints['save']>[0]) => this.#kept.save(update, this.#sent),
      onResume: (segment: number, timeS: number) =>
        context.log.info({ uri, segment, timeS }, 'continuing within a segment'),
    }
    await thread.process(clip.path, this.#request, handlers, signal)
  }

  #takePlan(plan: ClipPlan): void {
    const { clip, clipId, dimension, state } = this.#options
    clip.checkUnchanged()
    const own = { ...wirePlan(clipId, clip, plan, dimension), pass: state.pass }
    state.plan = own
    state.left = plan.segments.slice(this.#request.kind === 'open' ? this.#request.from : 0, plan.taken)
    this.#send(plan.segments.slice(plan.taken).map((segment) => this.#segmentJob(segment, own)))
  }

  #takeSegment(output: SegmentOutput): void {
    const { clip, clipId, context, state } = this.#options
    const { plan, job } = state
    const { index } = output.segment
    clip.checkUnchanged()
    if (plan === undefined) throw new Error('a segment came before its plan')
    const about = { recipe: job.recipe, source: job.source, plan, attempt: this.#id }
    const topic = topicName(context.connection, 'embeddings')
    const messages = segmentMessages(output, about)
    this.#send(messages.map((part) => ({ topic, key: clipId, value: encodeMessage(part) })))
    state.left = state.left.filter((segment) => segment.index !== index)
    this.#kept.finished(index)
  }

  #send(messages: readonly OutMessage[]): void {
    const sending = this.#options.context.publisher.send(messages)
    sending.catch(() => undefined)
    this.#sent.push(sending)
  }

  /** Prepares the state for the next attempt, and returns the error to throw. */
  #failure(error: unknown): unknown {
    if (!(error instanceof CameoError)) return error
    if (error.code === 'CLIP_CHANGED')
      return new CameoError(error.code, error.message, {
        ...{ retriable: false, cause: error, details: error.details },
      })
    const { state } = this.#options
    state.request = requestAgain(state.request, state.left, error)
    return error
  }

  /** The job for a segment that is left to other workers. */
  #segmentJob({ index }: SegmentSpan, plan: WirePlan): OutMessage {
    const { context, state } = this.#options
    const { recipe, source } = state.job
    return {
      topic: topicName(context.connection, 'jobs'),
      key: jobKey(source.uri, index),
      value: encodeMessage({ v: versionFor(recipe), kind: 'segment', recipe, source, plan, segment: index }),
    }
  }
}

function wirePlan(clipId: string, { stamp }: OpenedClip, plan: ClipPlan, dimension: number): WirePlan {
  const { durationS, ...facts } = factsOf(plan, stamp.sizeBytes)
  return {
    ...{ clipId, stamp, dimension },
    facts: { ...facts, ...(durationS === undefined ? {} : { durationS }) },
    segments: plan.segments.length,
    cuttable: plan.info.cuttable,
  }
}
