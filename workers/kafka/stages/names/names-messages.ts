import { isForgotten } from '../../../../index/store/forgotten-clips.js'
import { referenceFacesOf } from '../../../../index/identities/identities.js'
import { toBlob } from '../../../../index/store/blobs.js'
import { enrolledSources, type JournalEntry } from '../../../../index/store/journal.js'
import type { Database } from '../../../../index/store/sqlite.js'
import type { OutMessage } from '../../broker/out-messages.js'
import { encodeMessage, wireVersion, type NameMessage } from '../../messages/schemas.js'
import { clipKey, nameKey } from './apply-names.js'

/** The messages for the topic of names about a journal entry: its current state in the archive. */
export function namesMessages(
  database: Database,
  topic: string,
  { action, subject }: JournalEntry,
): OutMessage[] {
  if (action === 'enroll') return enrolled(database, topic, subject.name, subject.sources)
  if (action === 'forget-name')
    return enrolled(database, topic, subject.name, enrolledSources(database, subject.name))
  const { clipId } = subject
  const value: NameMessage = { v: wireVersion, kind: 'forgotten', clipId }
  return [{ topic, key: clipKey(clipId), value: isForgotten(database, clipId) ? encodeMessage(value) : null }]
}

/** One message per source, so that no message grows with the number of a name's faces. */
function enrolled(database: Database, topic: string, name: string, sources: readonly string[]): OutMessage[] {
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
