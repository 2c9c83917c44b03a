import type { Archive } from '../../../../index/archive/open-archive.js'
import { destroyingKeys, type BeforeErasure } from '../../../../index/erasure/destroy-keys.js'
import { noteErasure } from '../../../../index/store/erasure.js'
import {
  eraseCorrectionFromJournal,
  eraseDescriptionFromJournal,
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
import { applyNames } from './apply-names.js'
import { aboutKey, correctionKey, nameKey } from './name-keys.js'
import { namesMessages } from './names-messages.js'
import type { WorkerContext } from '../shared/stage-worker.js'

/** The cluster and prefix of the topic that has the journal's entries. */
const clusterKey = 'kafka.names_cluster'

/** Number of journal entries published in one request. */
const batchSize = 100

/** A deletion that the topic has received: what the journal may lose, up to the entry with this number. */
interface Forgotten {
  readonly entry: number
  readonly name: string
  readonly what:
    | { readonly kind: 'name' }
    | { readonly kind: 'description' }
    | { readonly kind: 'source'; readonly source: string }
    | { readonly kind: 'corrections'; readonly clipId: string }
}

/**
 * Names and erasures, in their own topic. An archive with a lost file gets them back, and a replay never
 * restores what was forgotten. The topic keeps the newest message of each source of a name and of each clip.
 * Forgetting a name deletes its faces from the topic.
 */
export class NamesLog {
  readonly #context: WorkerContext
  readonly #archive: Archive
  readonly #database: Database
  readonly #topic: string
  #publishing: Promise<void> | undefined

  constructor(context: WorkerContext, archive: Archive) {
    this.#context = context
    this.#archive = archive
    this.#database = archive.database
    this.#topic = topicName(context.connection, 'names')
  }

  /**
   * Adds the names and erasures that the archive lacks. A new archive has none, and an old copy lacks the
   * latest.
   * @param cluster its id, and the topics' prefix
   */
  async restore(cluster: string): Promise<void> {
    const database = this.#database
    const isKnown = isPublished(database) && (readMeta(database, clusterKey) ?? cluster) === cluster
    // First, so that the newest messages that are read are never older than what this archive did.
    if (isKnown) await this.publish()
    else {
      // From now on the journal keeps what happens in the meantime, including erasures of names.
      writeMeta(database, publishedKey, '0')
      writeMeta(database, clusterKey, 'not yet')
    }
    const before = isKnown ? this.#published() : lastJournalEntry(database)
    const { kafka, connection, log } = this.#context
    const messages = await readTopic({ kafka, connection, topic: this.#topic, log })
    const apply = (erasure: BeforeErasure | undefined) => {
      const newer = applyNames(database, messages, before, log, erasure)
      // Messages from the topic need not be published again. A topic that is new or was created again
      // receives everything.
      if (!isKnown || messages.size === 0)
        writeMeta(database, publishedKey, `${before + newer === 0 ? lastJournalEntry(database) : 0}`)
      writeMeta(database, clusterKey, cluster)
    }
    destroyingKeys(
      this.#archive,
      (notice) => log.warn(notice),
      (erasure) => inTransaction(database, () => apply(erasure)),
    )
  }

  /**
   * Publishes new entries of the archive's journal. Calls run one at a time, so that messages keep the
   * journal's order.
   */
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

  /** The last published entry of the journal. */
  #published(): number {
    return Number(readMeta(this.#database, publishedKey) ?? 0)
  }

  /** The topic no longer has what was forgotten. So the archive need not keep its name either. */
  #setPublished(last: number, forgotten: readonly Forgotten[]): void {
    const database = this.#database
    inTransaction(database, () => {
      writeMeta(database, publishedKey, `${last}`)
      for (const { entry, name, what } of forgotten)
        if (what.kind === 'name') eraseFromJournal(database, name, entry)
        else if (what.kind === 'description') eraseDescriptionFromJournal(database, name, entry)
        else if (what.kind === 'source') eraseSourceFromJournal(database, name, what.source, entry)
        else eraseCorrectionFromJournal(database, name, what.clipId, entry)
      if (forgotten.length > 0) noteErasure(database)
    })
  }
}

/**
 * Which of these entries were forgotten when they were sent: the archive may have changed in the meantime.
 * Whole names come first.
 */
function forgottenIn(entries: readonly JournalEntry[], sent: readonly OutMessage[]): Forgotten[] {
  const newest = new Map(sent.map(({ key, value }) => [key, value]))
  const isDeleted = (key: string) => newest.get(key) === null
  const names: Forgotten[] = []
  const others: Forgotten[] = []
  for (const { entry, action, subject } of entries) {
    if (action === 'forget-name') names.push({ entry, name: subject.name, what: { kind: 'name' } })
    if (action === 'enroll')
      for (const source of subject.sources)
        if (isDeleted(nameKey(subject.name, source)))
          others.push({ entry, name: subject.name, what: { kind: 'source', source } })
    if (action === 'correct' && isDeleted(correctionKey(subject.name, subject.clipId)))
      others.push({ entry, name: subject.name, what: { kind: 'corrections', clipId: subject.clipId } })
    if (action === 'describe-name' && isDeleted(aboutKey(subject.name)))
      others.push({ entry, name: subject.name, what: { kind: 'description' } })
  }
  return [...names, ...others]
}
