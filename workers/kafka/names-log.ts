import type { Archive } from '../../index/archive.js'
import { forgetClip, isForgotten } from '../../index/forget.js'
import { enroll, referenceFacesOf } from '../../index/identities.js'
import { toBlob, toUint16 } from '../../index/store/blobs.js'
import type { Database } from '../../index/store/database.js'
import {
  enrolledSources,
  journalAfter,
  lastJournalEntry,
  type JournalEntry,
} from '../../index/store/journal.js'
import { readMeta, writeMeta } from '../../index/store/meta.js'
import type { OutMessage } from './client.js'
import type { WorkerContext } from './stage-worker.js'
import { readTopic } from './topic-reader.js'
import { topicName } from './topics.js'
import { decodeName, encodeMessage, wireVersion, type NameMessage } from './wire.js'

/**
 * Names and erasures, in a topic of their own: an archive whose file is lost gets them back, and a replay never brings back
 * what was forgotten. The topic keeps the newest message of each source of a name and of each clip; forgetting a name takes its
 * faces out of it.
 */
export interface NamesLog {
  /** Brings names and erasures into an archive that never had any from this topic. */
  restore(): Promise<void>
  /** Publishes what the archive's journal has new. */
  publish(): Promise<void>
}

/** Journal entries up to this one are in the topic. */
const publishedKey = 'kafka.journal_published'

/**
 * For a topic that is another one, or lost what it had: everything that the archive has is published once more. An archive that
 * never published is left as it is, for it takes what the topic has.
 */
export function publishNamesAgain(database: Database): void {
  if (readMeta(database, publishedKey) !== undefined) writeMeta(database, publishedKey, '0')
}

export function createNamesLog(
  { kafka, connection, publisher, log }: WorkerContext,
  { database }: Archive,
): NamesLog {
  const topic = topicName(connection, 'names')

  function apply(message: NameMessage): void {
    if (message.kind === 'forgotten') {
      if (!isForgotten(database, message.clipId)) forgetClip(database, message.clipId)
      return
    }
    const embedders = new Set(message.faces.map(({ embedder }) => embedder))
    for (const embedder of embedders)
      enroll(
        database,
        message.name,
        embedder,
        message.faces
          .filter((face) => face.embedder === embedder)
          .map(({ source, norm, vector, quality }) => ({
            source,
            embedding: { float16: toUint16(vector), norm },
            quality,
          })),
      )
  }

  function messagesFor({ action, subject }: JournalEntry): OutMessage[] {
    if (action === 'enroll') return enrolled(subject.name, subject.sources)
    if (action === 'forget-name') return enrolled(subject.name, enrolledSources(database, subject.name))
    const { clipId } = subject
    const value: NameMessage = { v: wireVersion, kind: 'forgotten', clipId }
    return [
      { topic, key: `clip/${clipId}`, value: isForgotten(database, clipId) ? encodeMessage(value) : null },
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
      const key = `name/${JSON.stringify([name, source])}`
      return { topic, key, value: own.length === 0 ? null : encodeMessage(value) }
    })
  }

  return {
    async restore() {
      if (readMeta(database, publishedKey) !== undefined) return
      const before = lastJournalEntry(database)
      const messages = await readTopic({ kafka, connection, topic, log })
      // One by one: to be stopped here and to begin again gives the same.
      for (const value of messages.values()) apply(decodeName(value))
      // What came from the topic need not go there again; what the archive had before does.
      writeMeta(database, publishedKey, `${before === 0 ? lastJournalEntry(database) : 0}`)
      if (messages.size > 0) log.info({ names: messages.size }, 'names and erasures restored')
    },
    async publish() {
      for (;;) {
        const entries = journalAfter(database, Number(readMeta(database, publishedKey) ?? 0), 100)
        const last = entries.at(-1)
        if (last === undefined) return
        await publisher.send(entries.flatMap(messagesFor))
        writeMeta(database, publishedKey, `${last.entry}`)
      }
    },
  }
}
