import { perConnection } from './per-connection.js'
import { checkedTables, isWhole, type CheckedTable } from './checksum.js'
import type { Database } from './sqlite.js'
import { createDescriptorStore } from './descriptors.js'
import { createOwners, type Owners } from './row-owners.js'
import { rowCountSql } from './schema.js'

/** Something damaged, and its owner if known. */
export interface Damage {
  readonly clipId?: string
  /** Set if the damage affects only this track of the clip. */
  readonly trackId?: number
  /** An enrolled name. */
  readonly name?: string
  /** The table of a damaged row, or the kind of damage. */
  readonly what: string
}

export const missingRows = 'missing rows'
const damagedIndex = 'index'

/** Tables with clip content that evaluation and redescribing read. */
const contentTables = [
  ...(['clips', 'runs', 'segments', 'tracks', 'faces', 'embeddings', 'context_features'] as const),
]

/**
 * Finds damaged and missing rows. Reads every row of the tables.
 * @throws an SQLite error if a page of the file cannot be read
 */
export function findDamage(database: Database, tables: readonly CheckedTable[] = checkedTables): Damage[] {
  return [...findDamagedRows(database, tables), ...incomplete(database)]
}

/** Finds damaged rows, but not missing ones. */
export function findDamagedRows(database: Database, tables: readonly CheckedTable[]): Damage[] {
  const ownersOf = createOwners(database)
  return tables.flatMap((table) => damagedRows(database, table, ownersOf))
}

function damagedRows(database: Database, table: CheckedTable, ownersOf: Owners): Damage[] {
  return database
    .prepare<[], Record<string, unknown>>(`SELECT * FROM ${table} NOT INDEXED WHERE NOT ${isWhole(table)}`)
    .all()
    .flatMap((row) => {
      const owners = ownersOf(table, row)
      return owners.length === 0 ? [{ what: table }] : owners.map((owner) => ({ ...owner, what: table }))
    })
}

/** Finds missing rows. The row that owns them stores how many there should be. */
function incomplete(database: Database): Damage[] {
  const clipIds = database
    .prepare<[], string>(
      `SELECT clip_id FROM segments NOT INDEXED WHERE row_count <> ${rowCountSql}
       UNION SELECT clip_id FROM runs NOT INDEXED WHERE NOT ${hasSegmentsSql}
       UNION SELECT clip_id FROM clips NOT INDEXED
         WHERE NOT EXISTS (SELECT 1 FROM runs WHERE runs.clip_id = clips.clip_id)`,
    )
    .pluck()
    .all()
  const names = database
    .prepare<[], string>(
      `SELECT name FROM identities NOT INDEXED WHERE row_count <>
       (SELECT count(*) FROM reference_faces WHERE reference_faces.identity_id = identities.identity_id)`,
    )
    .pluck()
    .all()
  return [
    ...clipIds.map((clipId) => ({ clipId })),
    ...createDescriptorStore(database).tracksWithout(),
    ...names.map((name) => ({ name })),
  ].map((owner) => ({ ...owner, what: missingRows }))
}

const hasSegmentsSql = `(state = 'working' OR segments =
  (SELECT count(*) FROM segments s WHERE s.clip_id = runs.clip_id AND s.recipe = runs.recipe))`

/**
 * The tracks of a clip whose entry in the index of tracks leads to another row or to none. SQLite believes its indexes:
 * a flipped bit in an entry would hide one track behind another. `entry` reads the index, `found` the rows.
 */
const wrongTrackSql = `tracks AS entry LEFT JOIN tracks AS found ON found.track_id = entry.track_id
  WHERE entry.clip_id = @clipId
    AND (found.clip_id, found.recipe, found.segment, found.number)
      IS NOT (entry.clip_id, entry.recipe, entry.segment, entry.number)`

/**
 * Checks a clip: its own rows, and the number of its tracks and their dependent rows, and that each track is found by
 * its clip. Does not check the content of the tracks. Returns what is damaged, or undefined.
 */
export const createClipCheck = perConnection((database): ((clipId: string) => string | undefined) => {
  const cases = [
    ['runs', `runs WHERE clip_id = @clipId AND NOT ${isWhole('runs')}`],
    ['segments', `segments WHERE clip_id = @clipId AND NOT ${isWhole('segments')}`],
    [missingRows, `runs WHERE clip_id = @clipId AND NOT ${hasSegmentsSql}`],
    [missingRows, `segments WHERE clip_id = @clipId AND row_count <> ${rowCountSql}`],
    [
      missingRows,
      `tracks JOIN segments USING (clip_id, recipe, segment)
       WHERE clip_id = @clipId AND NOT EXISTS (SELECT 1 FROM descriptors d WHERE d.track_id = tracks.track_id)`,
    ],
    [damagedIndex, wrongTrackSql],
  ].map(([what, from]) => `WHEN EXISTS (SELECT 1 FROM ${from}) THEN '${what}'`)
  // One statement: most clips are whole, so that all of it is read.
  const select = database
    .prepare<{ clipId: string }, string | null>(
      `SELECT CASE WHEN NOT EXISTS (SELECT 1 FROM clips
         WHERE clip_id = @clipId AND ${isWhole('clips')} AND clip_id IN (SELECT clip_id FROM runs)) THEN 'clips'
         ${cases.join('\n')} END`,
    )
    .pluck()
  return (clipId) => select.get({ clipId }) ?? undefined
})

/**
 * The clip of a track. Undefined if the track, one of its faces or its thumbnail is damaged or is not found by the
 * track. Does not check its embeddings.
 */
export const createTrackCheck = perConnection((database): ((trackId: number) => string | undefined) => {
  const clipOf = database
    .prepare<[number], string>(
      `SELECT clip_id FROM tracks JOIN thumbnails USING (track_id)
       WHERE track_id = ? AND ${isWhole('tracks')} AND ${isWhole('thumbnails')}`,
    )
    .pluck()
  const wholeFaces = database
    .prepare<[number], number>(
      `SELECT count(*) = count(DISTINCT face_id) FILTER (WHERE ${isWhole('faces')})
       FROM faces WHERE track_id = ?`,
    )
    .pluck()
  return (trackId) => (wholeFaces.get(trackId) === 1 ? clipOf.get(trackId) : undefined)
})

/** The content that must be skipped because it is damaged. */
export interface DamagedContent {
  readonly damage: readonly Damage[]
  /** Clips with damage beyond single tracks. */
  readonly clipIds: ReadonlySet<string>
  readonly trackIds: ReadonlySet<number>
}

/** For callers that read the whole archive: checks every row of clip content and marks the damaged clips. */
export function findDamagedContent(database: Database): DamagedContent {
  const damage = findDamage(database, contentTables).filter(({ name }) => name === undefined)
  markDamaged(database, damage)
  return {
    damage,
    clipIds: new Set(
      damage.flatMap(({ clipId, trackId }) =>
        clipId === undefined || trackId !== undefined ? [] : [clipId],
      ),
    ),
    trackIds: new Set(damage.flatMap(({ trackId }) => trackId ?? [])),
  }
}

export interface DamagedClip {
  readonly clipId: string
  /** When the damage was found. */
  readonly at: string
  readonly detail: string
}

/**
 * Marks clips as damaged, so that searches report them and the next ingest processes them again. Does nothing in a
 * read-only archive. Does not mark damaged paths, because the next ingest finds the clip again.
 */
export function markDamaged(database: Database, damage: readonly Damage[]): void {
  if (database.readonly) return
  const insert = database.prepare(
    'INSERT INTO damaged_clips (clip_id, at, detail) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
  )
  const at = new Date().toISOString()
  database
    .transaction(() => {
      for (const [clipId, detail] of detailsOf(damage.filter(({ what }) => what !== 'paths')))
        insert.run(clipId, at, detail)
    })
    .immediate()
}

/** The damage of each clip as text, for example "embeddings, missing rows". */
export function detailsOf(damage: readonly Damage[]): ReadonlyMap<string, string> {
  const whats = new Map<string, Set<string>>()
  for (const { clipId, what } of damage)
    if (clipId !== undefined) whats.set(clipId, (whats.get(clipId) ?? new Set()).add(what))
  return new Map([...whats].map(([clipId, of]) => [clipId, [...of].join(', ')]))
}

/** Clips that are marked as damaged. */
export function damagedClips(database: Database): DamagedClip[] {
  return database
    .prepare<[], DamagedClip>('SELECT clip_id AS clipId, at, detail FROM damaged_clips ORDER BY clip_id')
    .all()
}
