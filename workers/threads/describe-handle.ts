import { Worker } from 'node:worker_threads'
import { createDescriber } from '../../pipeline/describe/describe-track.js'
import '../../pipeline/models/no-telemetry.js'
import { CameoError, messageOf } from '../../pipeline/common/errors.js'
import type { FaceEmbeddings } from '../../pipeline/describe/pooled-input.js'
import type { DescribeReply, DescribeRequest, DescribeSetup } from './thread-messages.js'
import { threadLimits } from './thread-limits.js'

export interface Described {
  readonly descriptors: readonly Float32Array[]
  /** Number of values of a descriptor. */
  readonly dimension: number
}

/** Describes tracks without blocking its caller. */
export interface DescribeThread {
  /**
   * Returns one descriptor per track, L2-normalised.
   * @throws WORKER_DIED, MODEL_UNREADABLE if the head does not accept the embeddings
   */
  describe(
    embedder: DescribeRequest['embedder'],
    tracks: readonly (readonly FaceEmbeddings[])[],
  ): Promise<Described>
  stop(): Promise<void>
}

export interface DescriberOptions extends Omit<DescribeSetup, 'headFile'> {
  readonly headFile: string | undefined
}

interface Pending {
  readonly resolve: (described: Described) => void
  readonly reject: (error: CameoError) => void
}

/**
 * A head runs in its own thread. Without a head there is only pooling, which takes less time than sending it
 * to a thread.
 */
export function startDescriber({ headFile, device }: DescriberOptions): DescribeThread {
  return headFile === undefined ? poolHere : startDescribeThread({ headFile, device })
}

const poolHere: DescribeThread = {
  async describe(embedder, tracks) {
    const describer = await createDescriber(embedder, undefined)
    return { dimension: describer.dimension, descriptors: await describer.describeAll(tracks) }
  },
  stop: () => Promise.resolve(),
}

/** If the thread dies, its open requests fail. The next request starts a new thread. */
function startDescribeThread(setup: DescribeSetup): DescribeThread {
  let nextId = 0
  const pending = new Map<number, Pending>()
  let thread: Worker | undefined

  function start(): Worker {
    const started = new Worker(new URL('./describe-thread.js', import.meta.url), {
      workerData: setup,
      resourceLimits: threadLimits(),
    })
    let cause: unknown
    started.on('message', settle)
    started.on('error', (error: unknown) => (cause = error))
    started.on('exit', () => {
      thread = undefined
      const lost = [...pending.values()]
      pending.clear()
      for (const { reject } of lost)
        reject(
          new CameoError(
            'WORKER_DIED',
            `the describe thread ended: ${cause === undefined ? 'stopped' : messageOf(cause)}`,
            {
              cause,
            },
          ),
        )
    })
    return started
  }

  function settle(reply: DescribeReply): void {
    const asked = pending.get(reply.id)
    pending.delete(reply.id)
    if (reply.kind === 'described') asked?.resolve(reply)
    else {
      const { message, details } = reply
      asked?.reject(new CameoError('MODEL_UNREADABLE', `the head cannot be used: ${message}`, { details }))
    }
  }

  return {
    describe(embedder, tracks) {
      const id = nextId++
      thread ??= start()
      const running = thread
      return new Promise((resolve, reject) => {
        pending.set(id, { resolve, reject })
        running.postMessage({ id, embedder, tracks } satisfies DescribeRequest)
      })
    },
    async stop() {
      await thread?.terminate()
    },
  }
}
