import { Worker } from 'node:worker_threads'
import '../../pipeline/models/no-telemetry.js'
import { CameoError, errorOfParts } from '../../pipeline/common/errors.js'
import type { Provider } from '../../pipeline/models/session.js'
import type { CheckpointUpdate } from '../../pipeline/segments/segment-checkpoint.js'
import type { InferenceThread } from './inference-handle.js'
import type {
  ClipPlan,
  FrameProgress,
  SegmentThreadData,
  SegmentRequest,
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
 * A thread that processes segments, as its owner sees it: requests, each with an answer or a CameoError. Clips are processed one after the
 * other; of a second one ffmpeg is started already, and hashing goes on beside.
 */
export interface SegmentThread {
  /** Loads the models; resolves with the provider that runs them. */
  ready(): Promise<Provider>
  /** SHA-256 of a file. */
  hash(path: string, signal?: AbortSignal): Promise<string>
  /**
   * Resolves when all is told to the handlers. An error that a handler throws ends the work and rejects; `signal` ends it
   * with INTERRUPTED.
   */
  process(path: string, request: SegmentRequest, handlers: PartHandlers, signal?: AbortSignal): Promise<void>
  /** Ends the requests under way with INTERRUPTED. */
  abort(): void
  stop(): Promise<void>
}

interface Pending {
  readonly onReply: (reply: ThreadReply) => void
  readonly reject: (error: unknown) => void
}

/** Starts a thread. A thread that dies fails its requests with WORKER_DIED and is started again for the next. */
export class SegmentHandle implements SegmentThread {
  readonly #data: SegmentThreadData
  readonly #inference: InferenceThread | undefined
  readonly #pending = new Map<number, Pending>()
  /** The answers that are still to come. */
  readonly #asked = new Set<Promise<unknown>>()
  #nextId = 0
  #isStopping = false
  #thread: Worker

  /** @param inference runs the models, where they do not run in the thread itself */
  constructor(setup: ThreadSetup, inference?: InferenceThread) {
    this.#data = { setup, sharesModels: inference !== undefined }
    this.#inference = inference
    this.#thread = this.#start()
  }

  ready(): Promise<Provider> {
    return this.#ask({ kind: 'load' }, (reply) =>
      reply.kind === 'ready' ? { value: reply.provider } : undefined,
    )
  }

  hash(path: string, signal?: AbortSignal): Promise<string> {
    return this.#ask(
      { kind: 'hash', path },
      (reply) => (reply.kind === 'hashed' ? { value: reply.sha256 } : undefined),
      signal,
    )
  }

  process(
    path: string,
    request: SegmentRequest,
    handlers: PartHandlers,
    signal?: AbortSignal,
  ): Promise<void> {
    return this.#ask({ kind: 'process', path, request }, (reply) => tellHandlers(reply, handlers), signal)
  }

  abort(): void {
    for (const id of this.#pending.keys()) this.#abort(id)
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    this.abort()
    // A thread that is ended while ONNX Runtime loads a model takes the whole process down.
    await Promise.allSettled(this.#asked)
    await this.#thread.terminate()
  }

  #start(): Worker {
    const started = new Worker(new URL('./segment-thread.js', import.meta.url), {
      workerData: this.#data,
      resourceLimits: threadLimits(),
    })
    started.on('message', (message: ThreadMessage) => {
      if (message.kind === 'connect') void this.#connect(started)
      else this.#handle(message.id, message.reply)
    })
    started.on('error', (cause: unknown) => this.#restart(started, cause))
    started.on('exit', () => this.#restart(started, undefined))
    return started
  }

  /** Gives the thread a port to the inference thread. */
  async #connect(started: Worker): Promise<void> {
    try {
      const port = await this.#inference?.connect()
      if (port !== undefined) started.postMessage({ kind: 'connected', port } satisfies ThreadRequest, [port])
    } catch (error) {
      // The thread waits in vain.
      this.#restart(started, error)
      await started.terminate()
    }
  }

  #handle(id: number, reply: ThreadReply): void {
    const work = this.#pending.get(id)
    if (work === undefined) return
    try {
      if (reply.kind === 'failed') throw errorOfParts(reply)
      work.onReply(reply)
    } catch (error) {
      this.#pending.delete(id)
      this.#abort(id)
      work.reject(error)
    }
  }

  #restart(dead: Worker, cause: unknown): void {
    if (dead !== this.#thread) return
    if (!this.#isStopping) this.#thread = this.#start()
    const lost = [...this.#pending.values()]
    this.#pending.clear()
    for (const { reject } of lost)
      reject(new CameoError('WORKER_DIED', 'a thread ended while it worked on this clip', { cause }))
  }

  /** Sends work; `pick` looks at each reply and gives a value with the one that ends it. */
  #ask<T>(
    work: ThreadWork,
    pick: (reply: ThreadReply) => { readonly value: T } | undefined,
    signal?: AbortSignal,
  ): Promise<T> {
    if (signal?.aborted === true)
      return Promise.reject(new CameoError('INTERRUPTED', 'the work was stopped before it began'))
    const id = this.#nextId++
    const abort = () => this.#abort(id)
    signal?.addEventListener('abort', abort)
    const asked = new Promise<T>((resolve, reject) => {
      const onReply = (reply: ThreadReply) => {
        const picked = pick(reply)
        if (picked === undefined) return
        this.#pending.delete(id)
        resolve(picked.value)
      }
      this.#pending.set(id, { onReply, reject })
      this.#thread.postMessage({ kind: 'work', id, work } satisfies ThreadRequest)
    }).finally(() => {
      this.#asked.delete(asked)
      signal?.removeEventListener('abort', abort)
    })
    this.#asked.add(asked)
    return asked
  }

  #abort(id: number): void {
    this.#thread.postMessage({ kind: 'abort', id } satisfies ThreadRequest)
  }
}

/** Returns a value with the reply that ends the work. */
function tellHandlers(reply: ThreadReply, handlers: PartHandlers): { readonly value: undefined } | undefined {
  if (reply.kind === 'planned') handlers.onPlan(reply.plan)
  if (reply.kind === 'segment') handlers.onSegment(reply.output)
  if (reply.kind === 'frames') handlers.onFrames(reply)
  if (reply.kind === 'checkpoint') handlers.onCheckpoint?.(reply.update)
  if (reply.kind === 'resumed') handlers.onResume?.(reply.segment, reply.timeS)
  return reply.kind === 'done' ? { value: undefined } : undefined
}
