import type { Inbox } from '../../../../index/store/inbox.js'
import type { Publisher } from '../../broker/client.js'

/** Number of messages published in one request. */
const batchSize = 200

/**
 * Publishes an archive's outbox. After a crash, a message that was sent but not marked as sent is sent twice.
 */
export class OutboxPublisher {
  readonly #outbox: Pick<Inbox, 'unpublished' | 'markPublished'>
  readonly #publisher: Pick<Publisher, 'send'>
  #last: Promise<void> = Promise.resolve()

  constructor(outbox: Pick<Inbox, 'unpublished' | 'markPublished'>, publisher: Pick<Publisher, 'send'>) {
    this.#outbox = outbox
    this.#publisher = publisher
  }

  /** Calls wait for each other, so that a clip's statuses keep their order. Rejects as the publisher does. */
  publish(): Promise<void> {
    const own = this.#last.then(() => this.#publishAll())
    this.#last = own.catch(() => undefined)
    return own
  }

  async #publishAll(): Promise<void> {
    for (;;) {
      const entries = this.#outbox.unpublished(batchSize)
      const last = entries.at(-1)
      if (last === undefined) return
      await this.#publisher.send(entries)
      this.#outbox.markPublished(last.entry)
    }
  }
}
