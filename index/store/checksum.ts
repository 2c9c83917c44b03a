import { crc32 } from 'node:zlib'
import type { Database } from './sqlite.js'

/**
 * The columns that a row's checksum covers: all columns of the table in order, including its key. This detects a
 * value that belongs to another row. SQLite itself has no checksums, so it does not notice a flipped bit.
 */
export const checkedColumns = {
  meta: ['key', 'value'],
  roots: ['root_id', 'path'],
  paths: [
    ...[
      'root_id',
      'relative_path',
      'clip_id',
      'device',
      'inode',
      'size_bytes',
      'mtime_ns',
      'code',
      'message',
    ],
    'ctime_ns',
  ],
  clips: [
    ...['clip_id', 'size_bytes', 'duration_s', 'width_px', 'height_px', 'codec', 'container', 'added_at'],
    'left_out',
  ],
  runs: ['clip_id', 'recipe', 'segments', 'cuttable', 'state', 'truncated'],
  segments: [
    ...['clip_id', 'recipe', 'segment', 'start_s', 'end_s', 'state', 'frames', 'faces', 'truncated', 'code'],
    ...['message', 'gaps', 'row_count'],
  ],
  tracks: [
    ...['track_id', 'clip_id', 'recipe', 'segment', 'number', 'spans', 'samples', 'quality', 'provider'],
  ],
  checkpoints: ['clip_id', 'recipe', 'segment', 'part', 'bytes'],
  faces: ['face_id', 'track_id', 'time_s', 'box', 'landmarks', 'detection_score', 'quality'],
  embeddings: ['face_id', 'embedder', 'norm', 'vector'],
  thumbnails: ['track_id', 'jpeg'],
  context_features: ['clip_id', 'recipe', 'segment', 'encoder', 'frames', 'vector'],
  spaces: ['space_id', 'digest', 'dimension', 'description', 'active'],
  descriptors: ['label', 'space_id', 'track_id', 'vector'],
  descriptor_changes: ['change', 'space_id', 'label'],
  identities: ['identity_id', 'name', 'row_count', 'note'],
  reference_faces: [
    ...['reference_id', 'identity_id', 'source', 'embedder', 'norm', 'vector', 'quality'],
    'picture_id',
  ],
  reference_pictures: ['picture_id', 'identity_id', 'jpeg', 'box', 'landmarks'],
  identity_aliases: ['alias', 'identity_id'],
  corrections: ['correction_id', 'identity_id', 'clip_id', 'place', 'verdict', 'at'],
  journal: ['entry', 'at', 'action', 'subject'],
  forgotten_clips: ['clip_id', 'at'],
  damaged_clips: ['clip_id', 'at', 'detail'],
  unnamed_erased: ['clip_id', 'at', 'tracks', 'last_track'],
  alerts: ['clip_id', 'name', 'at', 'state', 'seen'],
  alerts_due: ['clip_id'],
  topic_offsets: ['topic', 'partition', 'next_offset', 'last_digest'],
  pending_parts: ['clip_id', 'segment', 'attempt', 'part', 'message'],
  outbox: ['entry', 'topic', 'key', 'value'],
  people: ['person_id', 'identity_id', 'hidden'],
  people_tracks: ['track_id', 'person_id'],
  people_anchors: [
    ...['anchor_id', 'clip_id', 'recipe', 'segment', 'number', 'spans', 'box', 'track_id', 'person_id'],
  ],
  people_links: ['change_id', 'a', 'b', 'kind'],
  people_changes: ['change_id', 'at', 'action', 'undone'],
  people_before: ['change_id', 'person_id', 'existed', 'identity_id', 'hidden'],
  people_moves: ['change_id', 'anchor_id', 'person_id'],
  people_enrolled: ['change_id', 'identity_id', 'clip_id', 'source'],
} as const satisfies Readonly<Record<string, readonly string[]>>

export type CheckedTable = keyof typeof checkedColumns

/** Every table with checksums. */
export const checkedTables: readonly CheckedTable[] = Object.keys(checkedColumns).filter(isCheckedTable)

function isCheckedTable(name: string): name is CheckedTable {
  return name in checkedColumns
}

/** The definition of the checksum column. SQLite computes it for every written row, from any process, and stores it. */
export const checksumColumn = (table: CheckedTable): string =>
  `crc INTEGER AS (${checksumOf(table, '')}) STORED`

/** SQL condition: true if the row is intact. */
export const isWhole = (table: CheckedTable, alias: string = table): string =>
  `(${alias}.crc IS ${checksumOf(table, `${alias}.`)})`

const checksumOf = (table: CheckedTable, prefix: string): string =>
  `row_checksum('${table}', ${checkedColumns[table].map((column) => `${prefix}${column}`).join(', ')})`

/** Adds the function `row_checksum` to this connection. Tables with checksums cannot be written without it. */
export function addChecksumFunction(database: Database): void {
  database.function('row_checksum', { varargs: true, deterministic: true }, rowChecksum)
}

/** Replaces the function by one whose checksums fit no row. For copies of damaged rows. */
export function addWrongChecksumFunction(database: Database): void {
  database.function(
    'row_checksum',
    { varargs: true, deterministic: true },
    (...values: unknown[]) => ~rowChecksum(...values),
  )
}

/** CRC-32 of the exact texts of the values, followed by the bytes of the blobs. */
export function rowChecksum(...values: readonly unknown[]): number {
  let text = ''
  const blobs: Uint8Array[] = []
  for (const value of values) {
    if (value instanceof Uint8Array) blobs.push(value)
    text +=
      typeof value === 'string'
        ? JSON.stringify(value)
        : value instanceof Uint8Array
          ? `x${value.length}`
          : String(value)
    text += ','
  }
  return blobs.reduce((crc, blob) => crc32(blob, crc), crc32(text))
}
