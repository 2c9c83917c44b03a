import { isWhole } from './checksum.js'
import type { Database } from './sqlite.js'

/** The position from which to continue reading a partition. */
export interface TopicPosition {
  readonly next: bigint
  /** SHA-256 of the message before this position, hex. */
  readonly lastDigest: string
}

export interface PendingPart {
  readonly clipId: string
  readonly segment: number
  readonly attempt: string
  /** Number of the part. −1 is the closing message. */
  readonly part: number
  readonly message: Uint8Array
}

export interface OutboxEntry {
  readonly entry: number
  readonly topic: string
  readonly key: string
  readonly value: Uint8Array
}

/**
 * Received messages, and messages to publish because of them. Write them in the same transaction as the rows that
 * result from the received messages.
 */
export interface Inbox {
  position(topic: string, partition: number): TopicPosition | undefined
  setPosition(topic: string, partition: number, position: TopicPosition): void
  /** Deletes all positions, so that every topic is read again from the beginning. */
  forgetPositions(): void
  keepPart(part: PendingPart): void
  /** The kept parts of one attempt at a segment. Skips damaged parts, as if they had not arrived. */
  partsOf(attempt: Pick<PendingPart, 'clipId' | 'segment' | 'attempt'>): PendingPart[]
  /** Deletes the parts of all attempts at a segment. */
  dropParts(clipId: string, segment: number): void
  /** Records that the segment failed in a pass over the clip. Kept until `dropParts`. */
  noteGivenUp(clipId: string, segment: number, pass: string): void
  /** True if a segment failed in the pass and is not stored yet. */
  hasGivenUp(clipId: string, pass: string): boolean
  toPublish(topic: string, key: string, value: Uint8Array): void
  unpublished(limit: number): OutboxEntry[]
  markPublished(upToEntry: number): void
}

/** Part number of a marker: the segment failed in the pass named by `attempt`. */
const givenUpPart = -2

export function createInbox(database: Database): Inbox {
  const selectPosition = database.prepare<[string, number], { next: string; lastDigest: string }>(
    'SELECT next_offset AS next, last_digest AS lastDigest FROM topic_offsets WHERE topic = ? AND partition = ?',
  )
  const upsertPosition = database.prepare(
    `INSERT OR REPLACE INTO topic_offsets (topic, partition, next_offset, last_digest) VALUES (?, ?, ?, ?)`,
  )
  const deletePositions = database.prepare<[]>('DELETE FROM topic_offsets')
  const upsertPart = database.prepare(
    'INSERT OR REPLACE INTO pending_parts (clip_id, segment, attempt, part, message) VALUES (?, ?, ?, ?, ?)',
  )
  const selectParts = database.prepare<[string, number, string], PendingPart>(
    `SELECT clip_id AS clipId, segment, attempt, part, message FROM pending_parts
     WHERE clip_id = ? AND segment = ? AND attempt = ? AND ${isWhole('pending_parts')} ORDER BY part`,
  )
  const deleteParts = database.prepare<[string, number]>(
    'DELETE FROM pending_parts WHERE clip_id = ? AND segment = ?',
  )
  const selectGivenUp = database
    .prepare<[string, string, number], number>(
      'SELECT count(*) FROM pending_parts WHERE clip_id = ? AND attempt = ? AND part = ?',
    )
    .pluck()
  const insertOutbox = database.prepare('INSERT INTO outbox (topic, key, value) VALUES (?, ?, ?)')
  const selectOutbox = database.prepare<[number], OutboxEntry>(
    'SELECT entry, topic, key, value FROM outbox ORDER BY entry LIMIT ?',
  )
  const deleteOutbox = database.prepare<[number]>('DELETE FROM outbox WHERE entry <= ?')
  return {
    position(topic, partition) {
      const row = selectPosition.get(topic, partition)
      return row === undefined ? undefined : { next: BigInt(row.next), lastDigest: row.lastDigest }
    },
    setPosition(topic, partition, { next, lastDigest }) {
      upsertPosition.run(topic, partition, `${next}`, lastDigest)
    },
    forgetPositions() {
      deletePositions.run()
      database.prepare('DELETE FROM pending_parts').run()
    },
    keepPart({ clipId, segment, attempt, part, message }) {
      upsertPart.run(clipId, segment, attempt, part, message)
    },
    partsOf: ({ clipId, segment, attempt }) => selectParts.all(clipId, segment, attempt),
    dropParts(clipId, segment) {
      deleteParts.run(clipId, segment)
    },
    noteGivenUp(clipId, segment, pass) {
      upsertPart.run(clipId, segment, pass, givenUpPart, new Uint8Array())
    },
    hasGivenUp: (clipId, pass) => (selectGivenUp.get(clipId, pass, givenUpPart) ?? 0) > 0,
    toPublish(topic, key, value) {
      insertOutbox.run(topic, key, value)
    },
    unpublished: (limit) => selectOutbox.all(limit),
    markPublished(upToEntry) {
      deleteOutbox.run(upToEntry)
    },
  }
}
