import { describeName } from '../../../../index/identities/describe-name.js'
import { referenceFacesOf } from '../../../../index/identities/identities.js'
import { toBlob } from '../../../../index/store/blobs.js'
import { correctionsOf } from '../../../../index/store/corrections.js'
import { isForgotten } from '../../../../index/store/forgotten-clips.js'
import { findIdentity } from '../../../../index/store/identities.js'
import { correctedClips, enrolledSources, type JournalEntry } from '../../../../index/store/journal.js'
import type { Database } from '../../../../index/store/sqlite.js'
import { parsePlace } from '../../../../index/identities/track-place.js'
import type { FacePicture } from '../../../../pipeline/align/face-picture.js'
import type { OutMessage } from '../../broker/out-messages.js'
import { encodeMessage, wireVersion, type NameMessage } from '../../messages/schemas.js'
import { aboutKey, clipKey, correctionKey, nameKey } from './name-keys.js'

/** The messages for the topic of names about a journal entry: its current state in the archive. */
export function namesMessages(
  database: Database,
  topic: string,
  { action, subject }: JournalEntry,
): OutMessage[] {
  const message = (key: string, value: NameMessage | undefined): OutMessage => ({
    ...{ topic, key },
    value: value === undefined ? null : encodeMessage(value),
  })
  switch (action) {
    case 'enroll':
      return enrolled(database, topic, subject.name, subject.sources)
    case 'forget-name': {
      const { name } = subject
      const clips = correctedClips(database, name)
      return [
        ...enrolled(database, topic, name, enrolledSources(database, name)),
        ...clips.map((clipId) => message(correctionKey(name, clipId), corrected(database, name, clipId))),
        message(aboutKey(name), about(database, name)),
      ]
    }
    case 'correct': {
      const { name, clipId } = subject
      return [message(correctionKey(name, clipId), corrected(database, name, clipId))]
    }
    case 'describe-name':
      return [message(aboutKey(subject.name), about(database, subject.name))]
    case 'forget-clip':
    case 'remember-clip': {
      const { clipId } = subject
      const value: NameMessage = { v: wireVersion, kind: 'forgotten', clipId }
      return [message(clipKey(clipId), isForgotten(database, clipId) ? value : undefined)]
    }
  }
}

function corrected(database: Database, name: string, clipId: string): NameMessage | undefined {
  const identityId = findIdentity(database, name)
  const rows = identityId === undefined ? [] : correctionsOf(database, identityId)
  const corrections = rows
    .filter((row) => row.clipId === clipId)
    .map(({ verdict, at, place }) => ({ verdict, at, place: parsePlace(place) }))
  if (corrections.length === 0) return undefined
  return { v: wireVersion, kind: 'corrected', name, clipId, corrections }
}

function about(database: Database, name: string): NameMessage | undefined {
  if (findIdentity(database, name) === undefined) return undefined
  const { aliases, note } = describeName(database, name)
  if (aliases.length === 0 && note === undefined) return undefined
  return { v: wireVersion, kind: 'about', name, aliases: [...aliases], note }
}

/** Pictures of a message take at most this, so that it keeps within the limit of a message. Bytes. */
const maxPictureBytes = 320 * 1024

/** One message per source, so that no message grows with the number of a name's faces. */
function enrolled(database: Database, topic: string, name: string, sources: readonly string[]): OutMessage[] {
  const faces = referenceFacesOf(database, name)
  return sources.map((source) => {
    const own = faces.filter((face) => face.source === source)
    const pictures = picturesWithin(own.flatMap(({ picture }) => picture ?? []))
    const value: NameMessage = {
      v: wireVersion,
      kind: 'enrolled',
      name,
      faces: own.map(({ embedder, embedding, quality, picture }) => {
        const at = picture === undefined ? -1 : pictures.indexOf(picture)
        return {
          ...{ source, embedder, quality },
          norm: embedding.norm,
          vector: toBlob(embedding.float16),
          ...(at < 0 ? {} : { picture: at }),
        }
      }),
      ...(pictures.length === 0 ? {} : { pictures: pictures.map(wirePicture) }),
    }
    return { topic, key: nameKey(name, source), value: own.length === 0 ? null : encodeMessage(value) }
  })
}

/** The first pictures that a message has room for, each once. */
function picturesWithin(pictures: readonly FacePicture[]): FacePicture[] {
  let bytes = 0
  return [...new Set(pictures)].filter(({ jpeg }) => (bytes += jpeg.byteLength) <= maxPictureBytes)
}

const wirePicture = ({ jpeg, boxXyxyPx: [x1, y1, x2, y2], landmarksPx }: FacePicture) => ({
  jpeg,
  boxXyxyPx: [x1, y1, x2, y2] as [number, number, number, number],
  landmarksPx: landmarksPx.flatMap(({ x, y }) => [x, y]),
})
