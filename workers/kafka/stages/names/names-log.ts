import type { Archive } from '../../../../index/archive/open-archive.js'
import { noteErasure } from '../../../../index/store/erasure.js'
import {
  eraseFromJournal,
  eraseSourceFromJournal,
  isPublished,
  journalAfter,
  lastJournalEntry,
  publishedKey,
  type JournalEntry,
} from '../../../../index/store/journal.js'
import { readMeta, writeMeta } from '../../../../index/store/meta.js'
import type { Database } from '../../../../index/store/sqlite.js'
import { inTransaction } from '../../../../index/store/transaction.js'
import type { OutMessage } from '../../broker/out-messages.js'
import { readTopic } from '../../broker/topic-reader.js'
import { topicName } from '../../broker/topics.js'
import { applyNames, nameKey } from './apply-names.js'
import { namesMessages } from './names-messages.js'
import type { WorkerContext } from '../shared/stage-worker.js'

/** The cluster and prefix whose topic has the journal's entries. */
const clusterKey = 'kafka.names_cluster'

/** Entries of the journal published in one request. */
const batchSize = 100

/** The topic has no faces of it any more. */
interface Forgotten {
  /** Of the journal. */
  readonly entry: number
  readonly name: string
  /** Absent where the whole name was forgotten. */
  readonly source?: string
}

/**
 * Names and erasures, in a topic of their own: an archive whose file is lost gets them back, and a replay never brings back
 * what was forgotten. The topic keeps the newest message of each source of a name and of each clip; forgetting a name takes its
 * faces out of it.
 */
export class NamesLog {
  readonly #context: WorkerContext
  readonly #database: Database
  readonly #topic: string
  #publishing: Promise<void> | undefined

  constructor(context: WorkerContext, { database }: Pick<Archive, 'database'>) {
    this.#context = context
    this.#database = database
    this.#topic = topicName(context.connection, 'names')
  }

  /**
   * Brings names and erasures that the archive lacks into it: a new one has none, and a copy from a while ago not the last.
   * @param cluster which one it is, and the topics' prefix
   */
  async restore(cluster: string): Promise<void> {
    const database = this.#database
    const isKnown = isPublished(database) && (readMeta(database, clusterKey) ?? cluster) === cluster
    // First, so that the newest of what is read is never older than what this archive did.
    if (isKnown) await this.publish()
    else {
      // From now on the journal keeps what is done meanwhile, erasures of names too.
      writeMeta(database, publishedKey, '0')
      writeMeta(database, clusterKey, 'not yet')
    }
    const before = isKnown ? this.#published() : lastJournalEntry(database)
    const { kafka, connection, log } = this.#context
    const messages = await readTopic({ kafka, connection, topic: this.#topic, log })
    inTransaction(database, () => {
      const newer = applyNames(database, messages, before, log)
      // What came from the topic need not go there again; one that is another, or was made again, is given all that there was.
      if (!isKnown || messages.size === 0)
        writeMeta(database, publishedKey, `${before + newer === 0 ? lastJournalEntry(database) : 0}`)
      writeMeta(database, clusterKey, cluster)
    })
  }

  /** Publishes what the archive's journal has new. One at a time, so that messages keep the journal's order. */
  publish(): Promise<void> {
    this.#publishing ??= this.#publishAll().finally(() => (this.#publishing = undefined))
    return this.#publishing
  }

  async #publishAll(): Promise<void> {
    for (;;) {
      const entries = journalAfter(this.#database, this.#published(), batchSize)
      const last = entries.at(-1)
      if (last === undefined) return
      const messages = entries.flatMap((entry) => namesMessages(this.#database, this.#topic, entry))
      await this.#context.publisher.send(messages)
      this.#setPublished(last.entry, forgottenIn(entries, messages))
    }
  }

  /** The last entry of the journal that is published. */
  #published(): number {
    return Number(readMeta(this.#database, publishedKey) ?? 0)
  }

  /** What was forgotten is out of the topic, too: from then on nothing needs to say what it was. */
  #setPublished(last: number, forgotten: readonly Forgotten[]): void {
    const database = this.#database
    inTransaction(database, () => {
      writeMeta(database, publishedKey, `${last}`)
      for (const { entry, name, source } of forgotten)
        if (source === undefined) eraseFromJournal(database, name, entry)
        else eraseSourceFromJournal(database, name, source, entry)
      if (forgotten.length > 0) noteErasure(database)
    })
  }
}

/** What of these entries was forgotten when they were sent: the archive may have changed meanwhile. Whole names come first. */
function forgottenIn(entries: readonly JournalEntry[], sent: readonly OutMessage[]): Forgotten[] {
  const newest = new Map(sent.map(({ key, value }) => [key, value]))
  const names = entries.flatMap(({ entry, action, subject }) =>
    action === 'forget-name' ? [{ entry, name: subject.name }] : [],
  )
  const sources = entries.flatMap(({ entry, action, subject }) =>
    action !== 'enroll'
      ? []
      : subject.sources
          .filter((source) => newest.get(nameKey(subject.name, source)) === null)
          .map((source) => ({ entry, name: subject.name, source })),
  )
  return [...names, ...sources]
}
