import type { Archive } from '../../../index/archive/open-archive.js'
import { isForgotten } from '../../../index/identities/forget.js'
import { referenceFacesOf } from '../../../index/identities/identities.js'
import { toBlob } from '../../../index/store/blobs.js'
import { noteErasure } from '../../../index/store/erasure.js'
import {
  enrolledSources,
  eraseFromJournal,
  eraseSourceFromJournal,
  isPublished,
  journalAfter,
  lastJournalEntry,
  publishedKey,
  type JournalEntry,
} from '../../../index/store/journal.js'
import { readMeta, writeMeta } from '../../../index/store/meta.js'
import { applyNames, clipKey, nameKey } from './apply-names.js'
import type { OutMessage } from '../broker/client.js'
import type { WorkerContext } from './stage-worker.js'
import { readTopic } from '../broker/topic-reader.js'
import { topicName } from '../broker/topics.js'
import { encodeMessage, wireVersion, type NameMessage } from '../messages/schemas.js'

/**
 * Names and erasures, in a topic of their own: an archive whose file is lost gets them back, and a replay never brings back
 * what was forgotten. The topic keeps the newest message of each source of a name and of each clip; forgetting a name takes its
 * faces out of it.
 */
export interface NamesLog {
  /**
   * Brings names and erasures that the archive lacks into it: a new one has none, and a copy from a while ago not the last.
   * @param cluster which one it is, and the topics' prefix
   */
  restore(cluster: string): Promise<void>
  /** Publishes what the archive's journal has new. */
  publish(): Promise<void>
}

/** The cluster and prefix whose topic has the journal's entries. */
const clusterKey = 'kafka.names_cluster'

export function createNamesLog(
  { kafka, connection, publisher, log }: WorkerContext,
  { database }: Archive,
): NamesLog {
  const topic = topicName(connection, 'names')

  function messagesFor({ action, subject }: JournalEntry): OutMessage[] {
    if (action === 'enroll') return enrolled(subject.name, subject.sources)
    if (action === 'forget-name') return enrolled(subject.name, enrolledSources(database, subject.name))
    const { clipId } = subject
    const value: NameMessage = { v: wireVersion, kind: 'forgotten', clipId }
    return [
      { topic, key: clipKey(clipId), value: isForgotten(database, clipId) ? encodeMessage(value) : null },
    ]
  }

  /** What is known of each source: a message of its own, so that none grows with the number of a name's faces. */
  function enrolled(name: string, sources: readonly string[]): OutMessage[] {
    const faces = referenceFacesOf(database, name)
    return sources.map((source) => {
      const own = faces.filter((face) => face.source === source)
      const value: NameMessage = {
        v: wireVersion,
        kind: 'enrolled',
        name,
        faces: own.map(({ embedder, embedding, quality }) => ({
          ...{ source, embedder, quality },
          norm: embedding.norm,
          vector: toBlob(embedding.float16),
        })),
      }
      return { topic, key: nameKey(name, source), value: own.length === 0 ? null : encodeMessage(value) }
    })
  }

  /** What was forgotten is out of the topic, too: from then on nothing needs to say what it was. */
  function setPublished(entries: readonly JournalEntry[], sent: readonly OutMessage[], last: number): void {
    // As it was when it was sent: the archive may have changed meanwhile.
    const newest = new Map(sent.map(({ key, value }) => [key, value]))
    const forgotten = entries.flatMap(({ entry, action, subject }) =>
      action === 'forget-name' ? [{ entry, name: subject.name }] : [],
    )
    const sources = entries.flatMap(({ entry, action, subject }) =>
      action !== 'enroll'
        ? []
        : subject.sources
            .filter((source) => newest.get(nameKey(subject.name, source)) === null)
            .map((source) => ({ entry, name: subject.name, source })),
    )
    database
      .transaction(() => {
        writeMeta(database, publishedKey, `${last}`)
        for (const { entry, name } of forgotten) eraseFromJournal(database, name, entry)
        for (const { entry, name, source } of sources) eraseSourceFromJournal(database, name, source, entry)
        if (forgotten.length + sources.length > 0) noteErasure(database)
      })
      .immediate()
  }

  async function publishAll(): Promise<void> {
    for (;;) {
      const entries = journalAfter(database, Number(readMeta(database, publishedKey) ?? 0), 100)
      const last = entries.at(-1)
      if (last === undefined) return
      const messages = entries.flatMap(messagesFor)
      await publisher.send(messages)
      setPublished(entries, messages, last.entry)
    }
  }

  let publishing: Promise<void> | undefined

  /** One at a time, so that messages keep the journal's order. */
  function publish(): Promise<void> {
    publishing ??= publishAll().finally(() => (publishing = undefined))
    return publishing
  }

  return {
    publish,
    async restore(cluster) {
      const isKnown = isPublished(database) && (readMeta(database, clusterKey) ?? cluster) === cluster
      // First, so that the newest of what is read is never older than what this archive did.
      if (isKnown) await publish()
      else {
        // From now on the journal keeps what is done meanwhile, erasures of names too.
        writeMeta(database, publishedKey, '0')
        writeMeta(database, clusterKey, 'not yet')
      }
      const before = isKnown ? Number(readMeta(database, publishedKey) ?? 0) : lastJournalEntry(database)
      const messages = await readTopic({ kafka, connection, topic, log })
      database
        .transaction(() => {
          const newer = applyNames(database, messages, before, log)
          // What came from the topic need not go there again; one that is another, or was made again, is given all that there was.
          if (!isKnown || messages.size === 0)
            writeMeta(database, publishedKey, `${before + newer === 0 ? lastJournalEntry(database) : 0}`)
          writeMeta(database, clusterKey, cluster)
        })
        .immediate()
    },
  }
}
