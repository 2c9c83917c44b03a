import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openArchive } from '../../index/archive/open-archive.js'
import { databaseFileName } from '../../index/store/database.js'
import type { Database } from '../../index/store/sqlite.js'

interface TrackRow {
  readonly trackId: number
  readonly clipId: string
  readonly recipe: string
  readonly segment: number
  readonly number: number
}

/**
 * Every row that was made from clips, as lines of text in a fixed order. Two archives with the same answers
 * have the same lines. Leaves out what only numbers or dates a row (track ids, labels, times of ingestion),
 * its checksum, which covers these, and the places of files.
 */
export function dumpArchive(dir: string): string[] {
  const archive = openArchive(dir)
  try {
    const { database } = archive
    return [
      ...rows(database, 'clips', 'SELECT * FROM clips ORDER BY clip_id', ['added_at']),
      ...rows(database, 'runs', 'SELECT * FROM runs ORDER BY clip_id, recipe'),
      ...rows(database, 'segments', 'SELECT * FROM segments ORDER BY clip_id, recipe, segment'),
      ...tracksOf(database).flatMap((track) => dumpTrack(database, track)),
      ...rows(
        database,
        'context',
        'SELECT * FROM context_features ORDER BY clip_id, recipe, segment, encoder',
      ),
      ...rows(database, 'spaces', 'SELECT digest, dimension, active FROM spaces ORDER BY digest'),
      ...rows(database, 'forgotten', 'SELECT clip_id FROM forgotten_clips ORDER BY clip_id'),
    ]
  } finally {
    archive.close()
  }
}

/**
 * The track ids of every stored segment, by `clip/segment`. They change when a segment is written again.
 * Empty if there is no archive yet.
 */
export function segmentTrackIds(dir: string): ReadonlyMap<string, string> {
  if (!existsSync(join(dir, databaseFileName))) return new Map()
  const archive = openArchive(dir)
  try {
    const stored = archive.database
      .prepare<[], { name: string; ids: string }>(
        `SELECT clip_id || '/' || segment AS name,
           (SELECT coalesce(group_concat(track_id), '') FROM tracks t WHERE t.clip_id = s.clip_id
             AND t.recipe = s.recipe AND t.segment = s.segment) AS ids
         FROM segments s`,
      )
      .all()
    return new Map(stored.map(({ name, ids }) => [name, ids]))
  } finally {
    archive.close()
  }
}

function tracksOf(database: Database): TrackRow[] {
  return database
    .prepare<[], TrackRow>(
      `SELECT track_id AS trackId, clip_id AS clipId, recipe, segment, number FROM tracks
       ORDER BY clip_id, recipe, segment, number`,
    )
    .all()
}

function dumpTrack(database: Database, { trackId, clipId, segment, number }: TrackRow): string[] {
  const name = `${clipId.slice(0, 12)}/${segment}/${number}`
  const of = (what: string, sql: string, hidden: readonly string[] = []) =>
    rows(database, `${what} ${name}`, sql, hidden, trackId)
  return [
    ...of('track', 'SELECT * FROM tracks WHERE track_id = ?', ['track_id']),
    ...of(
      'face',
      `SELECT * FROM faces LEFT JOIN embeddings USING (face_id) WHERE track_id = ? ORDER BY face_id, embedder`,
      ['face_id', 'track_id'],
    ),
    ...of('thumbnail', 'SELECT jpeg FROM thumbnails WHERE track_id = ?'),
    ...of(
      'descriptor',
      'SELECT digest, vector FROM descriptors JOIN spaces USING (space_id) WHERE track_id = ? ORDER BY digest',
    ),
  ]
}

function rows(
  database: Database,
  name: string,
  sql: string,
  hidden: readonly string[] = [],
  ...bound: readonly number[]
): string[] {
  return database
    .prepare<number[], Record<string, unknown>>(sql)
    .all(...bound)
    .map((row) => {
      const shown = Object.entries(row).filter(([column]) => column !== 'crc' && !hidden.includes(column))
      return `${name} ${shown.map(([column, value]) => `${column}=${shownValue(value)}`).join(' ')}`
    })
}

/** Bytes as their digest, so that differences are readable. */
function shownValue(value: unknown): string {
  return Buffer.isBuffer(value)
    ? createHash('sha256').update(value).digest('hex').slice(0, 24)
    : JSON.stringify(value)
}
