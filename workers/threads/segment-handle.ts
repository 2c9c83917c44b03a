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
  /** Called before the first segment if the clip was not planned yet. */
  readonly onPlan: (plan: ClipPlan) => void
  readonly onSegment: (output: SegmentOutput) => void
  readonly onFrames: (progress: FrameProgress) => void
  /** Called with the current state of the running segment. It replaces the state given before. */
  readonly onCheckpoint?: (update: CheckpointUpdate) => void
  /** Called if the first segment continues from that time, s. */
  readonly onResume?: (segment: number, timeS: number) => void
}

/**
 * A thread that processes segments, as its owner uses it. Each request gets a result or a CameoError. Clips
 * are processed one after the other. ffmpeg already starts for a second clip, and hashing runs in parallel.
 */
export interface SegmentThread {
  /** Loads the models. Resolves with the provider that runs them. */
  ready(): Promise<Provider>
  /** SHA-256 of a file. */
  hash(path: string, signal?: AbortSignal): Promise<string>
  /**
   * Resolves when the handlers have received everything. An error of a handler ends the work and rejects.
   * `signal` ends it with INTERRUPTED.
   */
  process(path: string, request: SegmentRequest, handlers: PartHandlers, signal?: AbortSignal): Promise<void>
  /** Ends the running requests with INTERRUPTED. */
  abort(): void
  stop(): Promise<void>
}

interface Pending {
  readonly onReply: (reply: ThreadReply) => void
  readonly reject: (error: unknown) => void
}

/**
 * Starts a thread. If the thread dies, its requests fail with WORKER_DIED; the next request starts it again.
 */
export class SegmentHandle implements SegmentThread {
  readonly #data: SegmentThreadData
  readonly #inference: InferenceThread | undefined
  readonly #pending = new Map<number, Pending>()
  /** Requests without an answer yet. */
  readonly #asked = new Set<Promise<unknown>>()
  #nextId = 0
  #isStopping = false
  #thread: Worker

  /** @param inference runs the models, unless they run in the thread itself */
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
    // Ending a thread while ONNX Runtime loads a model crashes the whole process.
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

  /** Sends the thread a port to the inference thread. */
  async #connect(started: Worker): Promise<void> {
    try {
      const port = await this.#inference?.connect()
      if (port !== undefined) started.postMessage({ kind: 'connected', port } satisfies ThreadRequest, [port])
    } catch (error) {
      // The thread would wait forever.
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

  /** Sends work. `pick` receives each reply and returns a value for the reply that ends the work. */
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

/** Returns a value for the reply that ends the work. */
function tellHandlers(reply: ThreadReply, handlers: PartHandlers): { readonly value: undefined } | undefined {
  if (reply.kind === 'planned') handlers.onPlan(reply.plan)
  if (reply.kind === 'segment') handlers.onSegment(reply.output)
  if (reply.kind === 'frames') handlers.onFrames(reply)
  if (reply.kind === 'checkpoint') handlers.onCheckpoint?.(reply.update)
  if (reply.kind === 'resumed') handlers.onResume?.(reply.segment, reply.timeS)
  return reply.kind === 'done' ? { value: undefined } : undefined
}
