import type { Worker } from 'node:worker_threads'
import { CameoError, messageOf } from '../../../pipeline/common/errors.js'

/** How long a thread may take to finish when it is closed, ms. */
const closeWithinMs = 30_000

/** A call that a thread has not answered yet. */
interface Waiting {
  readonly reject: (error: unknown) => void
}

/**
 * A thread that answers calls, each with a number. It starts with the first call. If it dies, its calls fail with WORKER_DIED, and
 * the next call starts it again.
 */
export class HostedThread<Message extends { readonly kind: string }, Reply, Pending extends Waiting> {
  readonly #name: string
  readonly #create: () => Worker
  readonly #onReply: (reply: Reply) => void
  readonly #pending = new Map<number, Pending>()
  #thread: Worker | undefined
  #nextId = 0
  #isClosed = false

  /** @param name for errors */
  constructor(name: string, create: () => Worker, onReply: (reply: Reply) => void) {
    this.#name = name
    this.#create = create
    this.#onReply = onReply
  }

  /** Sends a call. @returns a function that sends further messages to the same thread @throws INTERRUPTED after `close` */
  call(pending: Pending, messageOfCall: (id: number) => Message): (message: (id: number) => Message) => void {
    if (this.#isClosed) throw new CameoError('INTERRUPTED', 'the server is stopping')
    const id = this.#nextId++
    const thread = (this.#thread ??= this.#start())
    const send = (message: (id: number) => Message) => thread.postMessage(message(id))
    this.#pending.set(id, pending)
    send(messageOfCall)
    return send
  }

  /** The call with a number, if it has no answer yet. */
  pending(id: number): Pending | undefined {
    return this.#pending.get(id)
  }

  /** The same, which has its answer now. */
  answered(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    return pending
  }

  /** Lets the thread finish what runs, and waits for its end. @param message tells the thread to end */
  async close(message: Message): Promise<void> {
    this.#isClosed = true
    const thread = this.#thread
    if (thread === undefined) return
    const ended = new Promise((resolve) => thread.once('exit', resolve))
    thread.postMessage(message)
    const timer = setTimeout(() => void thread.terminate(), closeWithinMs)
    await ended
    clearTimeout(timer)
  }

  #start(): Worker {
    let cause: unknown
    const thread = this.#create()
    thread.on('message', (reply: Reply) => this.#onReply(reply))
    thread.on('error', (error: unknown) => (cause = error))
    thread.on('exit', () => {
      if (this.#thread === thread) this.#thread = undefined
      const reason = cause === undefined ? '' : `: ${messageOf(cause)}`
      for (const { reject } of this.#pending.values())
        reject(new CameoError('WORKER_DIED', `the thread of ${this.#name} ended${reason}`, { cause }))
      this.#pending.clear()
    })
    return thread
  }
}
