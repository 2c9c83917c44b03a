import { once } from 'node:events'
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads'
import '../../pipeline/models/no-telemetry.js'
import { CameoError, messageOf } from '../../pipeline/common/errors.js'
import type { InferenceMessage, InferenceSetup } from './thread-messages.js'
import { threadLimits } from './thread-limits.js'

/** The inference thread of a device as its owner sees it. */
export interface InferenceThread {
  /**
   * A port for `connectModels`, to a thread that lives. After a crash the thread is started anew here, and so only where
   * there is work for it. Throws WORKER_DIED where it does not even start.
   */
  connect(): Promise<MessagePort>
  /** What runs is lost: connections close, and their runs reject with WORKER_DIED. */
  stop(): Promise<void>
}

interface RunningThread {
  readonly handle: Worker
  readonly ended: Promise<void>
}

/** A thread that ended just when it was asked is started again this often. */
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

  /** Undefined where the thread ends instead of answering. */
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
