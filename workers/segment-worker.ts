import { Worker } from 'node:worker_threads'
import { CameoError } from '../pipeline/errors.js'
import type { SegmentOutput } from '../pipeline/segment-builder.js'
import type { ClipPlan, SegmentWish, ThreadReply, ThreadSetup, ThreadWork } from './messages.js'

export interface PartHandlers {
  /** Before the first segment, where the clip was not planned yet. */
  readonly onPlan: (plan: ClipPlan) => void
  readonly onSegment: (output: SegmentOutput) => void
  readonly onFrames: (count: number) => void
}

/** One worker thread as its owner sees it: one request at a time, an answer or a CameoError. */
export interface SegmentWorker {
  /** Loads the models; resolves with the provider that runs them. */
  ready(): Promise<string>
  /** SHA-256 of a file. */
  hash(path: string): Promise<string>
  /** Resolves when all is told to the handlers. An error that a handler throws ends the work and rejects. */
  process(path: string, wish: SegmentWish, handlers: PartHandlers): Promise<void>
  /** Ends the request under way with INTERRUPTED. */
  abort(): void
  stop(): Promise<void>
}

interface Pending {
  readonly id: number
  readonly onReply: (reply: ThreadReply) => void
  readonly reject: (error: unknown) => void
}

/** Starts a thread. A thread that dies fails its request with WORKER_DIED and is started again for the next. */
export function startSegmentWorker(setup: ThreadSetup): SegmentWorker {
  let nextId = 0
  let pending: Pending | undefined
  let isStopping = false
  let thread = startThread()

  function startThread(): Worker {
    const started = new Worker(new URL('./segment-thread.js', import.meta.url), { workerData: setup })
    started.on('message', ({ id, reply }: { id: number; reply: ThreadReply }) => {
      if (id === pending?.id) handle(pending, reply)
    })
    started.on('error', (cause: unknown) => restart(started, cause))
    started.on('exit', () => restart(started, undefined))
    return started
  }

  function handle({ onReply, reject }: Pending, reply: ThreadReply): void {
    try {
      if (reply.kind === 'failed')
        throw new CameoError(reply.code, reply.message, { retriable: reply.retriable })
      onReply(reply)
    } catch (error) {
      pending = undefined
      thread.postMessage({ kind: 'abort' })
      reject(error)
    }
  }

  function restart(dead: Worker, cause: unknown): void {
    if (dead !== thread || isStopping) return
    thread = startThread()
    const lost = pending
    pending = undefined
    lost?.reject(
      new CameoError('WORKER_DIED', 'a worker thread ended while it worked on this clip', { cause }),
    )
  }

  /** Sends work; `pick` looks at each reply and gives a value with the one that ends it. */
  function ask<T>(
    work: ThreadWork,
    pick: (reply: ThreadReply) => { readonly value: T } | undefined,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const id = nextId++
      const onReply = (reply: ThreadReply) => {
        const picked = pick(reply)
        if (picked === undefined) return
        pending = undefined
        resolve(picked.value)
      }
      pending = { id, onReply, reject }
      thread.postMessage({ kind: 'work', id, work })
    })
  }

  return {
    ready: () =>
      ask({ kind: 'load' }, (reply) => (reply.kind === 'ready' ? { value: reply.provider } : undefined)),
    hash: (path) =>
      ask({ kind: 'hash', path }, (reply) => (reply.kind === 'hashed' ? { value: reply.sha256 } : undefined)),
    process: (path, wish, handlers) =>
      ask({ kind: 'process', path, wish }, (reply) => {
        if (reply.kind === 'planned') handlers.onPlan(reply.plan)
        if (reply.kind === 'segment') handlers.onSegment(reply.output)
        if (reply.kind === 'frames') handlers.onFrames(reply.count)
        return reply.kind === 'done' ? { value: undefined } : undefined
      }),
    abort: () => thread.postMessage({ kind: 'abort' }),
    async stop() {
      isStopping = true
      await thread.terminate()
    },
  }
}
