import { Worker } from 'node:worker_threads'
import '../../../pipeline/models/no-telemetry.js'
import { errorOfParts } from '../../../pipeline/common/errors.js'
import { threadLimits } from '../../threads/thread-limits.js'
import type {
  CallArguments,
  CallMessage,
  CallName,
  CallResult,
  HostOptions,
  ReplyMessage,
} from './call-messages.js'
import { HostedThread } from './hosted-thread.js'
import { receivedResult, sendable, type Sendable } from './sendable.js'

interface Pending {
  readonly resolve: (value: never) => void
  readonly reject: (error: unknown) => void
  readonly listeners: Sendable['listeners']
}

/**
 * An archive in a thread of its own, as its owner uses it. Calls are those of the library, with the same arguments and errors.
 * Functions among the arguments are called here, and a signal stops the call there. If the thread dies, its calls fail with
 * WORKER_DIED, and the next call starts it again.
 */
export class ArchiveHost {
  readonly #onNotice: (text: string) => void
  readonly #thread: HostedThread<CallMessage, ReplyMessage, Pending>

  constructor(options: HostOptions, onNotice: (text: string) => void) {
    this.#onNotice = onNotice
    this.#thread = new HostedThread(
      'the archive',
      () =>
        new Worker(new URL('./archive-thread.js', import.meta.url), {
          workerData: options,
          resourceLimits: threadLimits(),
        }),
      (reply) => this.#receive(reply),
    )
  }

  /** @throws as the call of the library; WORKER_DIED if the thread ended; INTERRUPTED after `close` */
  async call<Name extends CallName>(name: Name, ...args: CallArguments<Name>): Promise<CallResult<Name>> {
    const sent = sendable(args)
    let abort: () => void = () => undefined
    try {
      return await new Promise<CallResult<Name>>((resolve, reject) => {
        const { listeners } = sent
        const call = (id: number) => ({ kind: 'call', id, name, args: sent.args }) as const
        const send = this.#thread.call({ resolve, reject, listeners }, call)
        abort = () => send((id) => ({ kind: 'abort', id }))
        for (const signal of sent.signals)
          if (signal.aborted) abort()
          else signal.addEventListener('abort', abort, { once: true })
      })
    } finally {
      for (const signal of sent.signals) signal.removeEventListener('abort', abort)
    }
  }

  /** Finishes running calls and ends the thread. */
  close(): Promise<void> {
    return this.#thread.close({ kind: 'close' })
  }

  #receive(reply: ReplyMessage): void {
    if (reply.kind === 'notice') this.#onNotice(reply.text)
    else if (reply.kind === 'event') this.#thread.pending(reply.id)?.listeners[reply.place]?.(...reply.args)
    else if (reply.kind === 'done')
      this.#thread.answered(reply.id)?.resolve(receivedResult(reply.value) as never)
    else this.#thread.answered(reply.id)?.reject(errorOfParts(reply.error))
  }
}
