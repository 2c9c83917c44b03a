import { Worker } from 'node:worker_threads'
import '../../../pipeline/models/no-telemetry.js'
import { CameoError, errorOfParts, messageOf } from '../../../pipeline/common/errors.js'
import { threadLimits } from '../../threads/thread-limits.js'
import type {
  CallArguments,
  CallMessage,
  CallName,
  CallResult,
  HostOptions,
  ReplyMessage,
} from './call-messages.js'
import { receivedResult, sendable, type Sendable } from './sendable.js'

interface Pending {
  readonly resolve: (value: never) => void
  readonly reject: (error: unknown) => void
  readonly listeners: Sendable['listeners']
}

/** How long a thread may take to finish when it is closed, ms. */
const closeWithinMs = 30_000

/**
 * An archive in a thread of its own, as its owner uses it. Calls are those of the library, with the same arguments and errors.
 * Functions among the arguments are called here, and a signal stops the call there. If the thread dies, its calls fail with
 * WORKER_DIED, and the next call starts it again.
 */
export class ArchiveHost {
  readonly #options: HostOptions
  readonly #onNotice: (text: string) => void
  readonly #pending = new Map<number, Pending>()
  #thread: Worker | undefined
  #nextId = 0
  #isClosed = false

  constructor(options: HostOptions, onNotice: (text: string) => void) {
    this.#options = options
    this.#onNotice = onNotice
  }

  /** @throws as the call of the library; WORKER_DIED if the thread ended */
  call<Name extends CallName>(name: Name, ...args: CallArguments<Name>): Promise<CallResult<Name>> {
    if (this.#isClosed) return Promise.reject(new CameoError('INTERRUPTED', 'the server is stopping'))
    const id = this.#nextId++
    const sent = sendable(args)
    const thread = (this.#thread ??= this.#start())
    const abort = () => thread.postMessage({ kind: 'abort', id } satisfies CallMessage)
    return new Promise<CallResult<Name>>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject, listeners: sent.listeners })
      thread.postMessage({ kind: 'call', id, name, args: sent.args } satisfies CallMessage)
      for (const signal of sent.signals)
        if (signal.aborted) abort()
        else signal.addEventListener('abort', abort, { once: true })
    }).finally(() => {
      for (const signal of sent.signals) signal.removeEventListener('abort', abort)
    })
  }

  /** Finishes running calls and ends the thread. */
  async close(): Promise<void> {
    this.#isClosed = true
    const thread = this.#thread
    if (thread === undefined) return
    const ended = new Promise<void>((resolve) => thread.once('exit', () => resolve()))
    thread.postMessage({ kind: 'close' } satisfies CallMessage)
    const timer = setTimeout(() => void thread.terminate(), closeWithinMs)
    await ended
    clearTimeout(timer)
  }

  #start(): Worker {
    let cause: unknown
    const thread = new Worker(new URL('./archive-thread.js', import.meta.url), {
      workerData: this.#options,
      resourceLimits: threadLimits(),
    })
    thread.on('message', (message: ReplyMessage) => this.#receive(message))
    thread.on('error', (error: unknown) => (cause = error))
    thread.on('exit', () => {
      if (this.#thread === thread) this.#thread = undefined
      const reason = cause === undefined ? '' : `: ${messageOf(cause)}`
      for (const { reject } of this.#pending.values())
        reject(new CameoError('WORKER_DIED', `the thread of the archive ended${reason}`, { cause }))
      this.#pending.clear()
    })
    return thread
  }

  #receive(message: ReplyMessage): void {
    if (message.kind === 'notice') {
      this.#onNotice(message.text)
      return
    }
    const pending = this.#pending.get(message.id)
    if (pending === undefined) return
    if (message.kind === 'event') {
      pending.listeners[message.place]?.(...message.args)
      return
    }
    this.#pending.delete(message.id)
    if (message.kind === 'done') pending.resolve(receivedResult(message.value) as never)
    else pending.reject(errorOfParts(message.error))
  }
}
