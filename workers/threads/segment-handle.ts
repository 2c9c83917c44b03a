import { Worker } from 'node:worker_threads'
import '../../pipeline/models/no-telemetry.js'
import { CameoError } from '../../pipeline/common/errors.js'
import type { Provider } from '../../pipeline/models/session.js'
import type { CheckpointUpdate } from '../../pipeline/segments/segment-checkpoint.js'
import type { InferenceWorker } from './inference-handle.js'
import type {
  ClipPlan,
  FrameProgress,
  SegmentThreadData,
  SegmentWish,
  ThreadMessage,
  ThreadReply,
  ThreadRequest,
  ThreadSetup,
  ThreadWork,
} from './thread-messages.js'
import { threadLimits } from './thread-limits.js'
import type { SegmentOutput } from '../../pipeline/segments/segment.js'

export interface PartHandlers {
  /** Before the first segment, where the clip was not planned yet. */
  readonly onPlan: (plan: ClipPlan) => void
  readonly onSegment: (output: SegmentOutput) => void
  readonly onFrames: (progress: FrameProgress) => void
  /** The segment under work as it is now, in place of what was given of it before. */
  readonly onCheckpoint?: (update: CheckpointUpdate) => void
  /** The first segment is gone on with from that time, s. */
  readonly onResume?: (segment: number, timeS: number) => void
}

/**
 * One worker thread as its owner sees it: requests, each with an answer or a CameoError. Clips are processed one after the
 * other; of a second one ffmpeg is started already, and hashing goes on beside.
 */
export interface SegmentWorker {
  /** Loads the models; resolves with the provider that runs them. */
  ready(): Promise<Provider>
  /** SHA-256 of a file. */
  hash(path: string, signal?: AbortSignal): Promise<string>
  /**
   * Resolves when all is told to the handlers. An error that a handler throws ends the work and rejects; `signal` ends it
   * with INTERRUPTED.
   */
  process(path: string, wish: SegmentWish, handlers: PartHandlers, signal?: AbortSignal): Promise<void>
  /** Ends the requests under way with INTERRUPTED. */
  abort(): void
  stop(): Promise<void>
}

interface Pending {
  readonly onReply: (reply: ThreadReply) => void
  readonly reject: (error: unknown) => void
}

/**
 * Starts a thread. A thread that dies fails its requests with WORKER_DIED and is started again for the next.
 * @param inference runs the models, where they do not run in the thread itself
 */
export function startSegmentWorker(setup: ThreadSetup, inference?: InferenceWorker): SegmentWorker {
  let nextId = 0
  const pending = new Map<number, Pending>()
  let isStopping = false
  let thread = startThread()

  function startThread(): Worker {
    const workerData: SegmentThreadData = { setup, sharesModels: inference !== undefined }
    const started = new Worker(new URL('./segment-thread.js', import.meta.url), {
      workerData,
      resourceLimits: threadLimits(),
    })
    started.on('message', (message: ThreadMessage) => {
      if (message.kind === 'connect') void connect(started)
      else handle(message.id, message.reply)
    })
    started.on('error', (cause: unknown) => restart(started, cause))
    started.on('exit', () => restart(started, undefined))
    return started
  }

  async function connect(started: Worker): Promise<void> {
    try {
      const port = await inference?.connect()
      if (port !== undefined) started.postMessage({ kind: 'connected', port } satisfies ThreadRequest, [port])
    } catch (error) {
      // The thread waits in vain.
      restart(started, error)
      await started.terminate()
    }
  }

  function handle(id: number, reply: ThreadReply): void {
    const work = pending.get(id)
    if (work === undefined) return
    try {
      if (reply.kind === 'failed')
        throw new CameoError(reply.code, reply.message, { retriable: reply.retriable })
      work.onReply(reply)
    } catch (error) {
      pending.delete(id)
      thread.postMessage({ kind: 'abort', id } satisfies ThreadRequest)
      work.reject(error)
    }
  }

  function restart(dead: Worker, cause: unknown): void {
    if (dead !== thread || isStopping) return
    thread = startThread()
    const lost = [...pending.values()]
    pending.clear()
    for (const { reject } of lost)
      reject(new CameoError('WORKER_DIED', 'a worker thread ended while it worked on this clip', { cause }))
  }

  /** Sends work; `pick` looks at each reply and gives a value with the one that ends it. */
  function ask<T>(
    work: ThreadWork,
    pick: (reply: ThreadReply) => { readonly value: T } | undefined,
    signal?: AbortSignal,
  ): Promise<T> {
    if (signal?.aborted === true)
      return Promise.reject(new CameoError('INTERRUPTED', 'the work was stopped before it began'))
    const id = nextId++
    const abort = () => thread.postMessage({ kind: 'abort', id } satisfies ThreadRequest)
    signal?.addEventListener('abort', abort)
    return new Promise<T>((resolve, reject) => {
      const onReply = (reply: ThreadReply) => {
        const picked = pick(reply)
        if (picked === undefined) return
        pending.delete(id)
        resolve(picked.value)
      }
      pending.set(id, { onReply, reject })
      thread.postMessage({ kind: 'work', id, work } satisfies ThreadRequest)
    }).finally(() => signal?.removeEventListener('abort', abort))
  }

  return {
    ready: () =>
      ask({ kind: 'load' }, (reply) => (reply.kind === 'ready' ? { value: reply.provider } : undefined)),
    hash: (path, signal) =>
      ask(
        { kind: 'hash', path },
        (reply) => (reply.kind === 'hashed' ? { value: reply.sha256 } : undefined),
        signal,
      ),
    process: (path, wish, handlers, signal) =>
      ask(
        { kind: 'process', path, wish },
        (reply) => {
          if (reply.kind === 'planned') handlers.onPlan(reply.plan)
          if (reply.kind === 'segment') handlers.onSegment(reply.output)
          if (reply.kind === 'frames') handlers.onFrames(reply)
          if (reply.kind === 'checkpoint') handlers.onCheckpoint?.(reply.update)
          if (reply.kind === 'resumed') handlers.onResume?.(reply.segment, reply.timeS)
          return reply.kind === 'done' ? { value: undefined } : undefined
        },
        signal,
      ),
    abort() {
      for (const id of pending.keys()) thread.postMessage({ kind: 'abort', id } satisfies ThreadRequest)
    },
    async stop() {
      isStopping = true
      await thread.terminate()
    },
  }
}
