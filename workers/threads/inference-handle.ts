import { once } from 'node:events'
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads'
import '../../pipeline/models/no-telemetry.js'
import { CameoError, messageOf } from '../../pipeline/common/errors.js'
import type { InferenceMessage, InferenceSetup } from './thread-messages.js'
import { threadLimits } from './thread-limits.js'

/** The inference thread of a device, as its owner uses it. */
export interface InferenceThread {
  /**
   * Returns a port for `connectModels` to a running thread. After a crash this call starts the thread again,
   * so that it starts only if there is work. Throws WORKER_DIED if it does not start.
   */
  connect(): Promise<MessagePort>
  /** Running work is lost: connections close, and their runs reject with WORKER_DIED. */
  stop(): Promise<void>
}

interface RunningThread {
  readonly handle: Worker
  readonly ended: Promise<void>
}

/** Number of starts for a thread that ends during a request. */
const maxStarts = 2

export function startInferenceThread(
  setup: InferenceSetup,
  onNotice: (text: string) => void,
): InferenceThread {
  let thread: RunningThread | undefined
  let isStopped = false
  let lastError: unknown

  function start(): RunningThread {
    const handle = new Worker(new URL('./inference-thread.js', import.meta.url), {
      workerData: setup,
      resourceLimits: threadLimits(),
    })
    handle.on('message', ({ text }: InferenceMessage) => onNotice(text))
    handle.on('error', (error: unknown) => (lastError = error))
    const ended = new Promise<void>((resolve) => {
      handle.on('exit', () => {
        thread = undefined
        resolve()
      })
    })
    return { handle, ended }
  }

  /** Undefined if the thread ends before it answers. */
  async function tryConnect({ handle, ended }: RunningThread): Promise<MessagePort | undefined> {
    const { port1: own, port2: other } = new MessageChannel()
    const answered = once(own, 'message')
    own.start()
    handle.postMessage(other, [other])
    const isConnected = await Promise.race([answered.then(() => true), ended.then(() => false)])
    if (isConnected) return own
    own.close()
    return undefined
  }

  return {
    async connect() {
      for (let starts = 0; starts < maxStarts && !isStopped; starts++) {
        thread ??= start()
        const port = await tryConnect(thread)
        if (port !== undefined) return port
      }
      throw new CameoError(
        'WORKER_DIED',
        `the inference thread does not start${lastError === undefined ? '' : `: ${messageOf(lastError)}`}`,
        { cause: lastError },
      )
    },
    async stop() {
      isStopped = true
      await thread?.handle.terminate()
    },
  }
}
