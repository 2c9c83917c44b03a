import { crc32 } from 'node:zlib'
import type { Database } from './sqlite.js'

/**
 * The columns that a row's checksum covers: all of a table, in their order, its key among them, so that a value in the place of
 * another row's is noticed. SQLite itself has no checksums: a bit that flips in a row is silent.
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
  identities: ['identity_id', 'name', 'row_count'],
  reference_faces: ['reference_id', 'identity_id', 'source', 'embedder', 'norm', 'vector', 'quality'],
  journal: ['entry', 'at', 'action', 'subject'],
  forgotten_clips: ['clip_id', 'at'],
  damaged_clips: ['clip_id', 'at', 'detail'],
  topic_offsets: ['topic', 'partition', 'next_offset', 'last_digest'],
  pending_parts: ['clip_id', 'segment', 'attempt', 'part', 'message'],
  outbox: ['entry', 'topic', 'key', 'value'],
} as const satisfies Readonly<Record<string, readonly string[]>>

export type CheckedTable = keyof typeof checkedColumns

/** Every table with checksums. */
export const checkedTables: readonly CheckedTable[] = Object.keys(checkedColumns).filter(isCheckedTable)

function isCheckedTable(name: string): name is CheckedTable {
  return name in checkedColumns
}

/** The column of a table's definition: written by SQLite with every row, whoever writes it, and read as it was stored. */
export const checksumColumn = (table: CheckedTable): string =>
  `crc INTEGER AS (${checksumOf(table, '')}) STORED`

/** SQL that is true of a row that is as it was written. */
export const isWhole = (table: CheckedTable, alias: string = table): string =>
  `(${alias}.crc IS ${checksumOf(table, `${alias}.`)})`

const checksumOf = (table: CheckedTable, prefix: string): string =>
  `row_checksum('${table}', ${checkedColumns[table].map((column) => `${prefix}${column}`).join(', ')})`

/** Lets SQL on this connection call `row_checksum`: no table with checksums can be written without it. */
export function addChecksumFunction(database: Database): void {
  database.function('row_checksum', { varargs: true, deterministic: true }, rowChecksum)
}

/** CRC-32 of the values' texts, which are as long as they are exact, and after them of the bytes of blobs. */
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
