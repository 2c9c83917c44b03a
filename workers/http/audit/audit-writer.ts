import { Worker } from 'node:worker_threads'
import { errorOfParts, type ErrorParts } from '../../../pipeline/common/errors.js'
import type { AuditEntry } from '../../../index/audit/audit-entry.js'
import type { AuditLog } from '../../../index/audit/audit-log.js'
import { HostedThread } from '../hosts/hosted-thread.js'

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

/**
 * Writes to the audit log of an archive in a thread of its own: a commit waits for the disk, and requests need not wait with it. If
 * the thread dies, its entries fail with WORKER_DIED, and the next entry starts it again.
 */
export class AuditWriter implements AuditAppender {
  readonly #thread: HostedThread<AuditMessage, AuditReply, Pending>

  /** @param archive its folder */
  constructor(archive: string) {
    this.#thread = new HostedThread(
      'the audit log',
      () => new Worker(new URL('./audit-thread.js', import.meta.url), { workerData: archive }),
      (reply) => this.#receive(reply),
    )
  }

  /** Resolves when the entry is on the disk. @throws as `AuditLog.append`; WORKER_DIED; INTERRUPTED after `close` */
  append(entry: AuditEntry): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#thread.call({ resolve, reject }, (id) => ({ kind: 'append', id, entry }))
    })
  }

  /** Writes what waits, and ends the thread. */
  close(): Promise<void> {
    return this.#thread.close({ kind: 'close' })
  }

  #receive(reply: AuditReply): void {
    if (reply.kind === 'failed') this.#thread.answered(reply.id)?.reject(errorOfParts(reply.error))
    else for (const id of reply.ids) this.#thread.answered(id)?.resolve()
  }
}
