import type { Logger } from 'pino'
import type { BeforeErasure } from '../../../../index/erasure/destroy-keys.js'
import { replaceCorrections } from '../../../../index/identities/corrections.js'
import { replaceDescription } from '../../../../index/identities/describe-name.js'
import { forgetClip, lossOf } from '../../../../index/identities/forget.js'
import { isForgotten } from '../../../../index/store/forgotten-clips.js'
import { forgetFacesBeyond } from '../../../../index/identities/enrolled-faces.js'
import { enrollEmbedded, forgetSource } from '../../../../index/identities/identities.js'
import { findIdentity } from '../../../../index/store/identities.js'
import { hasSource } from '../../../../index/store/reference-faces.js'
import { toUint16 } from '../../../../index/store/blobs.js'
import { archiveError } from '../../../../index/store/database.js'
import type { Database } from '../../../../index/store/sqlite.js'
import { journalAfter, type JournalEntry } from '../../../../index/store/journal.js'
import { inTransaction } from '../../../../index/store/transaction.js'
import type { FacePicture } from '../../../../pipeline/align/face-picture.js'
import { messageOf } from '../../../../pipeline/common/errors.js'
import { decodeName, type NameMessage } from '../../messages/schemas.js'
import { aboutKey, clipKey, correctionKey, nameKey, readKey, type KeySubject } from './name-keys.js'

/**
 * Applies the newest message of each key of the topic of names to an archive. What the archive already has
 * stays unchanged. Journal entries after `entry` are newer than the messages. Runs in one transaction,
 * because commands write to the archive too.
 * @param before is told of clips and names before they are erased
 * @returns number of entries after `entry`
 */
export function applyNames(
  database: Database,
  messages: ReadonlyMap<string, Buffer | null>,
  entry: number,
  log: Logger,
  before?: BeforeErasure,
): number {
  return inTransaction(database, () => {
    const newer = journalAfter(database, entry, Number.MAX_SAFE_INTEGER)
    const keys = new Set(newer.flatMap(keysOf))
    const forgotten = new Set(
      newer.flatMap(({ action, subject }) => (action === 'forget-name' ? subject.name : [])),
    )
    for (const [key, value] of facesFirst(messages))
      try {
        if (keys.has(key)) continue
        const about = readKey(key)
        if ('name' in about && forgotten.has(about.name)) continue
        if (value !== null) apply(database, decodeName(value), log, before)
        else applyDeletion(database, about, before)
      } catch (error) {
        if (archiveError('', error) !== undefined) throw error
        log.warn({ key, error: messageOf(error) }, 'a message of the topic of names cannot be read')
      }
    return newer.length
  })
}

/** The keys of the messages that a journal entry is about. */
function keysOf({ action, subject }: JournalEntry): string[] {
  switch (action) {
    case 'enroll':
      return subject.sources.map((source) => nameKey(subject.name, source))
    case 'forget-name':
      return []
    case 'correct':
      return [correctionKey(subject.name, subject.clipId)]
    case 'describe-name':
      return [aboutKey(subject.name)]
    case 'forget-clip':
    case 'remember-clip':
      return [clipKey(subject.clipId)]
  }
}

/** What is said about a name needs the name. */
function facesFirst(messages: ReadonlyMap<string, Buffer | null>): [string, Buffer | null][] {
  const isLater = ([key]: [string, unknown]) => key.startsWith('correction/') || key.startsWith('about/')
  const all = [...messages]
  return [...all.filter((message) => !isLater(message)), ...all.filter(isLater)]
}

function applyDeletion(database: Database, about: KeySubject, before: BeforeErasure | undefined): void {
  if (about.kind === 'faces') {
    if (hasSource(database, about.name, about.source)) before?.addName(about.name)
    forgetSource(database, about.name, about.source)
  } else if (about.kind !== 'other' && findIdentity(database, about.name) !== undefined) {
    if (about.kind === 'corrections') replaceCorrections(database, about.name, about.clipId, [])
    else replaceDescription(database, about.name, { aliases: [], note: undefined })
  }
}

function apply(
  database: Database,
  message: NameMessage,
  log: Logger,
  before: BeforeErasure | undefined,
): void {
  switch (message.kind) {
    case 'forgotten':
      if (isForgotten(database, message.clipId)) return
      before?.addClip(message.clipId, lossOf(database, message.clipId).names)
      forgetClip(database, message.clipId)
      return
    case 'enrolled':
      applyFaces(database, message)
      return
    case 'corrected': {
      const { name, clipId, corrections } = message
      if (isForgotten(database, clipId) || findIdentity(database, name) === undefined) return
      const rows = corrections.map(({ place, ...rest }) => ({ ...rest, place: JSON.stringify(place) }))
      replaceCorrections(database, name, clipId, rows)
      return
    }
    case 'about': {
      const { name, aliases, note } = message
      if (findIdentity(database, name) === undefined) return
      const taken = replaceDescription(database, name, { aliases, note })
      if (taken.length > 0) log.warn({ name, aliases: taken }, 'these aliases belong to other names here')
    }
  }
}

/** If the archive already has the source, the faces missing from the message were forgotten. */
function applyFaces(database: Database, message: Extract<NameMessage, { kind: 'enrolled' }>): void {
  const { name } = message
  for (const source of new Set(message.faces.map((face) => face.source))) {
    const own = message.faces.filter((face) => face.source === source)
    forgetFacesBeyond(database, name, source, own)
  }
  const pictures = (message.pictures ?? []).map(pictureOf)
  const faces = message.faces.filter(({ source }) => !hasSource(database, name, source))
  if (faces.length > 0)
    enrollEmbedded(
      database,
      name,
      faces.map(({ source, embedder, norm, vector, quality, picture }) => ({
        ...{ source, embedder, quality },
        embedding: { float16: toUint16(vector), norm },
        picture: picture === undefined ? undefined : pictures[picture],
      })),
    )
}

type WirePicture = NonNullable<Extract<NameMessage, { kind: 'enrolled' }>['pictures']>[number]

function pictureOf({ jpeg, boxXyxyPx, landmarksPx }: WirePicture): FacePicture {
  const point = (i: number) => ({ x: landmarksPx[2 * i] ?? 0, y: landmarksPx[2 * i + 1] ?? 0 })
  return { jpeg, boxXyxyPx, landmarksPx: [point(0), point(1), point(2), point(3), point(4)] }
}
