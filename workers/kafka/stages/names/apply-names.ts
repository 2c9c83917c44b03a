import type { Logger } from 'pino'
import { z } from 'zod'
import { forgetClip } from '../../../../index/identities/forget.js'
import { isForgotten } from '../../../../index/store/forgotten-clips.js'
import { forgetFacesBeyond } from '../../../../index/identities/enrolled-faces.js'
import { enroll, forgetSource } from '../../../../index/identities/identities.js'
import { hasSource } from '../../../../index/store/reference-faces.js'
import { toUint16 } from '../../../../index/store/blobs.js'
import { archiveError } from '../../../../index/store/database.js'
import type { Database } from '../../../../index/store/sqlite.js'
import { journalAfter } from '../../../../index/store/journal.js'
import { inTransaction } from '../../../../index/store/transaction.js'
import { messageOf } from '../../../../pipeline/common/errors.js'
import { decodeName, type NameMessage } from '../../messages/schemas.js'

/** Key of the message about the faces of a name from one source. */
export const nameKey = (name: string, source: string) => `name/${JSON.stringify([name, source])}`
export const clipKey = (clipId: string) => `clip/${clipId}`

const namePrefix = 'name/'
const readNameKey = (key: string) =>
  z.tuple([z.string(), z.string()]).parse(JSON.parse(key.slice(namePrefix.length)))

/**
 * Applies the newest message of each key of the topic of names to an archive. What the archive already has
 * stays unchanged. Journal entries after `entry` are newer than the messages. Runs in one transaction,
 * because commands write to the archive too.
 * @returns number of entries after `entry`
 */
export function applyNames(
  database: Database,
  messages: ReadonlyMap<string, Buffer | null>,
  entry: number,
  log: Logger,
): number {
  return inTransaction(database, () => {
    const newer = journalAfter(database, entry, Number.MAX_SAFE_INTEGER)
    const keys = new Set<string>()
    const names = new Set<string>()
    for (const { action, subject } of newer)
      if (action === 'enroll') for (const source of subject.sources) keys.add(nameKey(subject.name, source))
      else if (action === 'forget-name') names.add(subject.name)
      else keys.add(clipKey(subject.clipId))
    for (const [key, value] of messages)
      try {
        if (keys.has(key)) continue
        const [name, source] = key.startsWith(namePrefix) ? readNameKey(key) : []
        if (name !== undefined && names.has(name)) continue
        if (value !== null) apply(database, decodeName(value))
        else if (name !== undefined && source !== undefined) forgetSource(database, name, source)
      } catch (error) {
        if (archiveError('', error) !== undefined) throw error
        log.warn({ key, error: messageOf(error) }, 'a message of the topic of names cannot be read')
      }
    return newer.length
  })
}

/** If the archive already has the source, the faces missing from the message were forgotten. */
function apply(database: Database, message: NameMessage): void {
  if (message.kind === 'forgotten') {
    if (!isForgotten(database, message.clipId)) forgetClip(database, message.clipId)
    return
  }
  const { name } = message
  for (const source of new Set(message.faces.map((face) => face.source))) {
    const own = message.faces.filter((face) => face.source === source)
    forgetFacesBeyond(database, name, source, own)
  }
  const faces = message.faces.filter(({ source }) => !hasSource(database, name, source))
  const embedders = new Set(faces.map(({ embedder }) => embedder))
  for (const embedder of embedders)
    enroll(
      database,
      name,
      embedder,
      faces
        .filter((face) => face.embedder === embedder)
        .map(({ source, norm, vector, quality }) => ({
          source,
          embedding: { float16: toUint16(vector), norm },
          quality,
        })),
    )
}
