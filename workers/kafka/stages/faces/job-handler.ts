import { counted } from '../../../../pipeline/common/counted.js'
import { clipName } from '../../../../pipeline/common/display-name.js'
import { CameoError } from '../../../../pipeline/common/errors.js'
import type { CheckpointFolder } from '../../../checkpoints/checkpoint-folder.js'
import { isSameContent } from '../../../ingest/file-stamp.js'
import { withoutSecrets, type ClipAccess } from '../../../remote-clips/clip-access.js'
import type { OpenedClip } from '../../../remote-clips/opened-clip.js'
import type { SegmentThread } from '../../../threads/segment-handle.js'
import type { OutMessage } from '../../broker/out-messages.js'
import type { Received } from '../../broker/received.js'
import { topicName } from '../../broker/topics.js'
import { decodeJob, encodeMessage, type WirePlan } from '../../messages/schemas.js'
import { givenUpMessage } from '../../messages/segment-messages.js'
import { ClipAttempt } from './clip-attempt.js'
import { startState, type JobState } from './job-state.js'
import type { BorrowedThread, Pools } from './recipe-pools.js'
import { attemptWork, type WorkerContext } from '../shared/stage-worker.js'

export interface JobHandlerOptions {
  readonly context: Omit<WorkerContext, 'kafka'>
  readonly pools: Pools
  readonly access: ClipAccess
  readonly threads: number
  /** After this many workers died over a job, it goes to the dead letters. */
  readonly maxDeaths: number
  /** Stores the state of segments in work. Without it they start from the beginning. */
  readonly checkpoints?: CheckpointFolder | undefined
  /** Called for an error that stops this worker: ffmpeg is missing, a GPU is lost, a root is not mounted. */
  readonly onFatal: (error: unknown) => void
}

/** Handles a job: from its clip's file to messages with the tracks' embeddings. */
export class JobHandler {
  readonly #options: JobHandlerOptions

  constructor(options: JobHandlerOptions) {
    this.#options = options
  }

  /** See `MessageHandler`. */
  async handle(message: Received, signal: AbortSignal, deaths: number): Promise<void> {
    const { context, maxDeaths, onFatal } = this.#options
    let state: JobState | undefined
    await attemptWork(context, {
      stage: 'faces',
      ...{ message, signal, onFault: onFatal },
      about: () => ({ uri: state?.job.source.uri, clipId: state?.clipId }),
      work: async () => {
        // Workers also died while they reported it. Perhaps reading it kills them.
        if (deaths > maxDeaths) throw workersDied('the job', deaths)
        state ??= startState(decodeJob(message.value), message, deaths > 0)
        if (deaths >= maxDeaths) throw workersDied(clipName(withoutSecrets(state.job.source.uri)), deaths)
        await this.#process(state, signal)
      },
      whenGivenUp: (error, attempts) => (state === undefined ? [] : [this.#giveUp(state, error, attempts)]),
    })
  }

  async #process(state: JobState, signal: AbortSignal): Promise<void> {
    const { context, pools, access, threads } = this.#options
    const { recipe, source } = state.job
    const borrowed = await pools.borrow(recipe)
    const { pack, provider } = borrowed
    context.metrics.setInfo({ pack: pack.name, provider, threads: `${threads}`, recipe: recipe.digest })
    try {
      const clip = await access.open(source.uri, state.plan?.stamp, signal)
      state.clip = clip
      try {
        await this.#processClip(state, clip, borrowed, signal)
      } finally {
        clip.release()
      }
    } finally {
      borrowed.release()
    }
  }

  async #processClip(
    state: JobState,
    clip: OpenedClip,
    { thread, pack }: BorrowedThread,
    signal: AbortSignal,
  ): Promise<void> {
    const { context, checkpoints } = this.#options
    checkSame(clip, state.plan)
    state.clipId ??= await hash(clip, thread, signal)
    const { clipId } = state
    const { dimension } = pack.embedder
    await new ClipAttempt({ context, checkpoints, state, clip, clipId, dimension }).run(thread, signal)
  }

  #giveUp(state: JobState, error: CameoError, attempts: number): OutMessage {
    const { checkpoints, context } = this.#options
    const { job, clip, clipId, plan, left } = state
    const { recipe, source } = job
    if (clipId !== undefined)
      for (const { index } of left) checkpoints?.drop({ clipId, recipe: recipe.digest }, index)
    const about = { recipe, source, error, attempts, stamp: clip?.stamp, clipId, plan, segments: left }
    return {
      topic: topicName(context.connection, 'embeddings'),
      key: clipId ?? source.uri,
      value: encodeMessage(givenUpMessage(about)),
    }
  }
}

function workersDied(what: string, deaths: number): CameoError {
  return new CameoError(
    'CLIP_ENDS_WORKERS',
    `${what} was being processed each time ${counted(deaths, 'worker')} ended without an error: most likely their memory ran out; check how they ended, then send the message again`,
    { details: { remedy: 'retry-message' } },
  )
}

async function hash(clip: OpenedClip, thread: SegmentThread, signal: AbortSignal): Promise<string> {
  if (clip.stamp.sizeBytes === 0)
    throw new CameoError(
      'CLIP_EMPTY',
      `${clipName(clip.path)} is empty (0 bytes): copy it again from its source`,
    )
  const digest = await thread.hash(clip.path, signal)
  clip.checkUnchanged()
  return digest
}

function checkSame({ path, stamp }: OpenedClip, plan: WirePlan | undefined): void {
  if (plan === undefined || isSameContent(stamp, plan.stamp)) return
  throw new CameoError(
    'CLIP_CHANGED',
    `${clipName(path)} is not the file that was planned: submit it again`,
    { retriable: false },
  )
}
