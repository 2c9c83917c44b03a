import { randomUUID } from 'node:crypto'
import { clipName } from '../../../pipeline/common/display-name.js'
import { counted } from '../../../pipeline/common/counted.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import { segmentSpan } from '../../../pipeline/segments/process-clip.js'
import { segmentLengthS } from '../../../pipeline/recipe/recipe.js'
import { withoutSecrets, type ClipAccess } from '../../remote-clips/clip-access.js'
import { isSameContent } from '../../ingest/file-stamp.js'
import type { CheckpointFolder } from '../../checkpoints/checkpoint-folder.js'
import { factsOf, wishAgain } from '../../ingest/ingest-jobs.js'
import type { ClipPlan, SegmentWish } from '../../threads/thread-messages.js'
import { withAdmin, type OutMessage } from '../broker/client.js'
import { followForgotten } from './forgotten-clips.js'
import { JobCheckpoints, jobName, resumedWish } from './job-checkpoints.js'
import type { Pools, BorrowedWorker } from './pools.js'
import { startQueueConsumer } from '../broker/queue-consumer.js'
import type { Received } from '../broker/received.js'
import { givenUpMessage, segmentMessages } from '../messages/segment-messages.js'
import { attemptWork, type StageWorker, type WorkerContext } from './stage-worker.js'
import { readGroupCrashCounts } from '../broker/topic-admin.js'
import { groupName, topicName } from '../broker/topics.js'
import {
  decodeJob,
  encodeMessage,
  jobKey,
  versionFor,
  type JobMessage,
  type WirePlan,
} from '../messages/schemas.js'
import type { SegmentSpan } from '../../../pipeline/segments/segment.js'
import type { OpenedClip } from '../../remote-clips/opened-clip.js'

export interface FacesWorkerOptions {
  readonly context: WorkerContext
  readonly pools: Pools
  readonly access: ClipAccess
  readonly threads: number
  /** A job over which so many workers died is given up. */
  readonly maxDeaths: number
  /** Where segments under work are kept; without it they are begun anew. */
  readonly checkpoints?: CheckpointFolder | undefined
  /** Told of an error that this worker cannot work with: ffmpeg is missing, a GPU is lost, a root is not mounted. */
  readonly onFatal: (error: unknown) => void
}

/** One clip is processed, the next one is fetched, hashed and opened meanwhile; as `ingestClips` does. */
const clipsPerThread = 2

/** What is known of a job so far: kept from one attempt to the next. */
interface JobState {
  readonly job: JobMessage
  readonly pass: string
  /** The job in the folder of checkpoints. */
  readonly name: string
  clip: OpenedClip | undefined
  clipId: string | undefined
  plan: WirePlan | undefined
  wish: SegmentWish
  /** Of this job's segments, those whose output is not published. */
  left: readonly SegmentSpan[]
}

/** What is done with a job: resolves when its result is durable. See `MessageHandler`. */
export type JobHandler = (message: Received, signal: AbortSignal, deaths: number) => Promise<void>

export interface JobHandlerOptions extends Omit<FacesWorkerOptions, 'context'> {
  readonly context: Omit<WorkerContext, 'kafka'>
}

/** Reads jobs, and publishes what the pipeline makes of them: from a clip's file to its tracks' embeddings. */
export async function startFacesWorker(options: FacesWorkerOptions): Promise<StageWorker> {
  const { threads, checkpoints } = options
  const { kafka, connection, log, metrics } = options.context
  const handle = createJobHandler(options)
  const concurrency = threads * clipsPerThread
  const groupId = groupName(connection, 'faces')
  const topic = topicName(connection, 'jobs')
  const consumer = await startQueueConsumer({
    ...{ kafka, topic, groupId, log, concurrency, handle, onInWork: metrics.setInWork },
    crashCounts: {
      self: connection.clientId,
      read: () => withAdmin(kafka, connection, (admin) => readGroupCrashCounts(admin, groupId, topic)),
    },
    ahead: 32 * threads,
    // A job takes about a kilobyte.
    fetch: { maxBytes: 16 * 1024, minBytes: 1, maxWaitMs: 1000 },
  })
  const following = checkpoints === undefined ? undefined : followForgotten(options.context, checkpoints)
  return {
    groupId,
    get isHealthy() {
      return consumer.isHealthy
    },
    async stop(drainMs) {
      await consumer.stop(drainMs)
      await following?.stop()
    },
  }
}

export function createJobHandler(options: JobHandlerOptions): JobHandler {
  const { context, pools, access, threads, maxDeaths, checkpoints, onFatal } = options
  const { connection, publisher, log, metrics } = context
  const embeddings = topicName(connection, 'embeddings')

  async function handle(message: Received, signal: AbortSignal, deaths: number): Promise<void> {
    let state: JobState | undefined
    await attemptWork(context, {
      stage: 'faces',
      ...{ message, signal, onFault: onFatal },
      about: () => ({ uri: state?.job.source.uri, clipId: state?.clipId }),
      async work() {
        // Workers died also while they gave it up: it may be what reads it that dies.
        if (deaths > maxDeaths) throw workersDied('the job', deaths)
        state ??= startState(decodeJob(message.value), message, deaths > 0)
        if (deaths >= maxDeaths) throw workersDied(clipName(withoutSecrets(state.job.source.uri)), deaths)
        await process(state, signal)
      },
      whenGivenUp: (error, attempts) => (state === undefined ? [] : [givenUp(state, error, attempts)]),
    })
  }

  async function process(state: JobState, signal: AbortSignal): Promise<void> {
    const { job } = state
    const borrowed = await pools.borrow(job.recipe)
    const { pack, provider } = borrowed
    metrics.setInfo({ pack: pack.name, provider, threads: `${threads}`, recipe: job.recipe.digest })
    try {
      const clip = await access.open(job.source.uri, state.plan?.stamp, signal)
      state.clip = clip
      try {
        await processClip(state, clip, borrowed, signal)
      } finally {
        clip.release()
      }
    } finally {
      borrowed.release()
    }
  }

  async function processClip(
    state: JobState,
    clip: OpenedClip,
    { worker, pack }: BorrowedWorker,
    signal: AbortSignal,
  ): Promise<void> {
    const { recipe, source } = state.job
    const sent: Promise<void>[] = []
    const send = (messages: readonly OutMessage[]) => {
      const sending = publisher.send(messages)
      sending.catch(() => undefined)
      sent.push(sending)
    }
    checkSame(clip, state.plan)
    state.clipId ??= await hash(clip, worker, signal)
    const { clipId } = state
    const attempt = randomUUID()
    const key = { clipId, recipe: recipe.digest }
    const wish = resumedWish(state.wish, checkpoints, key, state.name)
    const kept = new JobCheckpoints(checkpoints, key, state.name)
    try {
      await worker.process(
        clip.path,
        wish,
        {
          onPlan(plan) {
            clip.checkUnchanged()
            state.plan = { ...wirePlan(clipId, clip, plan, pack.embedder.dimension), pass: state.pass }
            state.left = plan.segments.slice(wish.kind === 'open' ? wish.from : 0, plan.taken)
            send(segmentJobs(state.job, state.plan, plan.segments.slice(plan.taken)))
          },
          onSegment(output) {
            clip.checkUnchanged()
            if (state.plan === undefined) throw new Error('a segment came before its plan')
            const messages = segmentMessages(output, { recipe, source, plan: state.plan, attempt })
            send(messages.map((part) => ({ topic: embeddings, key: clipId, value: encodeMessage(part) })))
            state.left = state.left.filter(({ index }) => index !== output.segment.index)
            kept.finished(output.segment.index)
          },
          onFrames: () => undefined,
          onCheckpoint: (update) => kept.save(update, sent),
          onResume: (segment, timeS) =>
            log.info({ uri: withoutSecrets(source.uri), segment, timeS }, 'going on within a segment'),
        },
        signal,
      )
    } catch (error) {
      // What was published counts; the next attempt does what is left.
      await kept.settled()
      await Promise.all(sent)
      if (!(error instanceof CameoError)) throw error
      if (error.code === 'CLIP_CHANGED')
        throw new CameoError(error.code, error.message, { retriable: false, cause: error })
      state.wish = wishAgain(state.wish, state.left, error)
      throw error
    }
    await Promise.all(sent)
    await kept.close()
  }

  function segmentJobs(job: JobMessage, plan: WirePlan, segments: readonly SegmentSpan[]): OutMessage[] {
    const { recipe, source } = job
    return segments.map(({ index }) => ({
      topic: topicName(connection, 'jobs'),
      key: jobKey(source.uri, index),
      value: encodeMessage({ v: versionFor(recipe), kind: 'segment', recipe, source, plan, segment: index }),
    }))
  }

  function givenUp(state: JobState, error: CameoError, attempts: number): OutMessage {
    const { job, clip, clipId, plan, left } = state
    const { recipe, source } = job
    if (clipId !== undefined)
      for (const { index } of left) checkpoints?.drop({ clipId, recipe: recipe.digest }, index)
    const about = { recipe, source, error, attempts, stamp: clip?.stamp, clipId, plan, segments: left }
    return { topic: embeddings, key: clipId ?? source.uri, value: encodeMessage(givenUpMessage(about)) }
  }

  return handle
}

function workersDied(what: string, deaths: number): CameoError {
  return new CameoError(
    'CLIP_ENDS_WORKERS',
    `${what} was being processed each time that ${counted(deaths, 'worker')} ended without an error: as a rule their memory ran out; look at how they ended, then "cameo dead-letters retry"`,
  )
}

/** @param isSuspected workers died over it: of a long clip the segments are told apart, so that one of them is given up */
function startState(job: JobMessage, message: Received, isSuspected: boolean): JobState {
  const { partition, offset } = message
  const nothing = {
    job,
    pass: `${partition}/${offset}`,
    name: jobName(message),
    clip: undefined,
    clipId: undefined,
    plan: undefined,
    left: [],
  }
  if (job.kind === 'clip') return { ...nothing, wish: { kind: 'open', isDivided: isSuspected } }
  const { plan, segment, recipe } = job
  if (segment >= plan.segments)
    throw new CameoError(
      'MESSAGE_INVALID',
      `the job names segment ${segment} of ${plan.segments}, which count from 0`,
    )
  const span = segmentSpan(segment, plan.segments, segmentLengthS(recipe.settings))
  return {
    ...nothing,
    ...{ plan, clipId: plan.clipId, left: [span] },
    wish: { kind: 'segments', segments: [span], seek: 'fast' },
  }
}

async function hash(
  clip: OpenedClip,
  worker: BorrowedWorker['worker'],
  signal: AbortSignal,
): Promise<string> {
  if (clip.stamp.sizeBytes === 0)
    throw new CameoError(
      'CLIP_EMPTY',
      `${clipName(clip.path)} is empty (0 bytes): copy it again from its source`,
    )
  const digest = await worker.hash(clip.path, signal)
  clip.checkUnchanged()
  return digest
}

function checkSame({ path, stamp }: OpenedClip, plan: WirePlan | undefined): void {
  if (plan === undefined || isSameContent(stamp, plan.stamp)) return
  throw new CameoError(
    'CLIP_CHANGED',
    `${clipName(path)} is another file than the one that was planned: submit it again`,
    { retriable: false },
  )
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
