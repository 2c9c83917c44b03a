import { Worker } from 'node:worker_threads'
import { errorOfParts, CameoError, messageOf, type ErrorParts } from '../../../pipeline/common/errors.js'
import type { AuditEntry } from '../../../index/audit/audit-entry.js'
import type { AuditLog } from '../../../index/audit/audit-log.js'

/** From the owner of the thread. */
export type AuditMessage =
  | { readonly kind: 'append'; readonly id: number; readonly entry: AuditEntry }
  /** Write what waits, and end. */
  | { readonly kind: 'close' }

/** From the thread: these entries are on the disk, or this one could not be written. */
export type AuditReply =
  | { readonly kind: 'written'; readonly ids: readonly number[] }
  | { readonly kind: 'failed'; readonly id: number; readonly error: ErrorParts }

/** What routes use to write to the log. */
export type AuditAppender = Pick<AuditLog, 'append'>

interface Pending {
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** How long the thread may take to finish when it is closed, ms. */
const closeWithinMs = 30_000

/**
 * Writes to the audit log of an archive in a thread of its own: a commit waits for the disk, and requests need not wait with it. If
 * the thread dies, its entries fail with WORKER_DIED, and the next entry starts it again.
 */
export class AuditWriter implements AuditAppender {
  readonly #archive: string
  readonly #pending = new Map<number, Pending>()
  #thread: Worker | undefined
  #nextId = 0
  #isClosed = false

  /** @param archive its folder */
  constructor(archive: string) {
    this.#archive = archive
  }

  /** Resolves when the entry is on the disk. @throws as `AuditLog.append`; WORKER_DIED; INTERRUPTED after `close` */
  append(entry: AuditEntry): Promise<void> {
    if (this.#isClosed) return Promise.reject(new CameoError('INTERRUPTED', 'the server is stopping'))
    const thread = (this.#thread ??= this.#start())
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
      thread.postMessage({ kind: 'append', id, entry } satisfies AuditMessage)
    })
  }

  /** Writes what waits, and ends the thread. */
  async close(): Promise<void> {
    this.#isClosed = true
    const thread = this.#thread
    if (thread === undefined) return
    const ended = new Promise((resolve) => thread.once('exit', resolve))
    thread.postMessage({ kind: 'close' } satisfies AuditMessage)
    const timer = setTimeout(() => void thread.terminate(), closeWithinMs)
    await ended
    clearTimeout(timer)
  }

  #start(): Worker {
    let cause: unknown
    const thread = new Worker(new URL('./audit-thread.js', import.meta.url), {
      workerData: this.#archive,
    })
    thread.on('message', (reply: AuditReply) => this.#receive(reply))
    thread.on('error', (error: unknown) => (cause = error))
    thread.on('exit', () => {
      if (this.#thread === thread) this.#thread = undefined
      const reason = cause === undefined ? '' : `: ${messageOf(cause)}`
      for (const { reject } of this.#pending.values())
        reject(new CameoError('WORKER_DIED', `the thread of the audit log ended${reason}`, { cause }))
      this.#pending.clear()
    })
    return thread
  }

  #receive(reply: AuditReply): void {
    if (reply.kind === 'failed') this.#taken(reply.id)?.reject(errorOfParts(reply.error))
    else for (const id of reply.ids) this.#taken(id)?.resolve()
  }

  #taken(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    return pending
  }
}
