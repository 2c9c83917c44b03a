import { isWhole } from './checksum.js'
import { parseGaps, parseLeftOut } from './clip-columns.js'
import type { RunState } from './clip-facts.js'
import { perConnection } from './per-connection.js'
import type { Database } from './sqlite.js'
import { wholePath } from './whole-path.js'

/** The clips to read. `unseen`: clips that may not be fully examined. */
export type WantedRuns = 'all' | 'unseen' | { readonly clipId: string }

/** How far a clip was examined under one recipe. */
export interface CoverageRow {
  readonly clipId: string
  /** In seconds. Undefined if it is not known. */
  readonly durationS: number | undefined
  /** Sentences about content of the clip that is never examined. */
  readonly leftOut: readonly string[]
  /** Undefined for a clip without a run. */
  readonly recipe: string | undefined
  readonly segments: number
  readonly state: RunState
  readonly truncated: boolean
  /** True if some stretches could not be decoded. */
  readonly hasGaps: boolean
  /** True if the clip has tracks under any recipe. */
  readonly hasTracks: boolean
  /** True if people without names were erased from it because of their age. */
  readonly hasErased: boolean
  /** True if a search includes the tracks of this run. */
  readonly isSearched: boolean
}

const isSearchedSql = `r.recipe = @recipe
  OR NOT EXISTS (SELECT 1 FROM tracks t WHERE t.clip_id = r.clip_id AND t.recipe = r.recipe)
  OR EXISTS (SELECT 1 FROM tracks t JOIN descriptors USING (track_id) JOIN spaces USING (space_id)
    WHERE t.clip_id = r.clip_id AND t.recipe = r.recipe AND active = 1)`

const wantedSql = {
  all: 'TRUE',
  unseen: `(r.state IS NOT 'done' OR r.recipe <> @recipe OR r.truncated OR c.left_out IS NOT NULL OR EXISTS
    (SELECT 1 FROM segments s WHERE s.clip_id = r.clip_id AND s.recipe = r.recipe AND s.gaps IS NOT NULL))`,
  one: 'c.clip_id = @clipId',
} as const

type Flag = 'truncated' | 'hasGaps' | 'hasTracks' | 'hasErased' | 'isSearched'

type StoredCoverageRow = Omit<CoverageRow, Flag | 'durationS' | 'leftOut' | 'recipe'> &
  Readonly<Record<Flag, number>> &
  Readonly<Record<'leftOut' | 'recipe', string | null>> & { readonly durationS: number | null }

/** Reads the runs of clips, in order of clip id. Skips damaged rows. @param recipe of the archive; '' if it has none */
export function readCoverageRows(database: Database, recipe: string, wanted: WantedRuns): CoverageRow[] {
  const kind = typeof wanted === 'string' ? wanted : 'one'
  const clipId = typeof wanted === 'string' ? '' : wanted.clipId
  return statements(database)
    [kind].all({ recipe, clipId })
    .map((row) => ({
      ...row,
      durationS: row.durationS ?? undefined,
      recipe: row.recipe ?? undefined,
      leftOut: parseLeftOut(row.leftOut),
      truncated: row.truncated !== 0,
      hasGaps: row.hasGaps !== 0,
      hasTracks: row.hasTracks !== 0,
      hasErased: row.hasErased !== 0,
      isSearched: row.isSearched !== 0,
    }))
}

const statements = perConnection((database) => {
  const select = (kind: keyof typeof wantedSql) =>
    database.prepare<{ recipe: string; clipId: string }, StoredCoverageRow>(
      `SELECT c.clip_id AS clipId, c.duration_s AS durationS, c.left_out AS leftOut, r.recipe AS recipe,
         coalesce(r.segments, 1) AS segments, coalesce(r.state, 'working') AS state, coalesce(r.truncated, 0) AS truncated,
         EXISTS (SELECT 1 FROM segments s WHERE s.clip_id = r.clip_id AND s.recipe = r.recipe
           AND s.gaps IS NOT NULL) AS hasGaps,
         EXISTS (SELECT 1 FROM tracks t WHERE t.clip_id = c.clip_id) AS hasTracks,
         EXISTS (SELECT 1 FROM unnamed_erased e WHERE e.clip_id = c.clip_id AND e.tracks > 0) AS hasErased,
         (${isSearchedSql}) AS isSearched
       FROM clips c LEFT JOIN runs r USING (clip_id)
       WHERE ${wantedSql[kind]} AND ${isWhole('clips', 'c')} AND (r.clip_id IS NULL OR ${isWhole('runs', 'r')})
       ORDER BY c.clip_id, r.recipe`,
    )
  return { all: select('all'), unseen: select('unseen'), one: select('one') }
})

/** The stored facts of one segment. */
export interface SegmentRow {
  readonly index: number
  readonly startS: number
  /** Undefined for a last segment, which ends with the clip. */
  readonly endS: number | undefined
  readonly state: 'done' | 'failed'
  readonly frames: number
  readonly truncated: boolean
  readonly code: string | undefined
  readonly message: string | undefined
  /** Stretches that could not be decoded, in seconds. */
  readonly gapsS: readonly (readonly [startS: number, endS: number])[]
  /** End of the last track, in seconds. Only for a truncated segment with tracks. */
  readonly lastFaceS: number | undefined
}

interface StoredSegmentRow extends Pick<SegmentRow, 'index' | 'startS' | 'state' | 'frames'> {
  readonly endS: number | null
  readonly truncated: number
  readonly code: string | null
  readonly message: string | null
  readonly gaps: string | null
  readonly lastFaceS: number | null
}

const segmentStatement = perConnection((database) =>
  database.prepare<[string, string], StoredSegmentRow>(
    `SELECT segment AS "index", start_s AS startS, end_s AS endS, state, frames, truncated, code, message, gaps,
       CASE WHEN truncated THEN (SELECT max(json_extract(span.value, '$[1]')) FROM tracks t, json_each(t.spans) span
         WHERE t.clip_id = s.clip_id AND t.recipe = s.recipe AND t.segment = s.segment AND ${isWhole('tracks', 't')}) END AS lastFaceS
     FROM segments s WHERE clip_id = ? AND recipe = ? AND ${isWhole('segments', 's')} ORDER BY segment`,
  ),
)

/** Reads the segments of a run, in order. Skips damaged rows. */
export function segmentRowsReader(database: Database): (clipId: string, recipe: string) => SegmentRow[] {
  const select = segmentStatement(database)
  return (clipId, recipe) =>
    select.all(clipId, recipe).map(({ gaps, ...row }) => ({
      ...row,
      endS: row.endS ?? undefined,
      truncated: row.truncated !== 0,
      code: row.code ?? undefined,
      message: row.message ?? undefined,
      lastFaceS: row.lastFaceS ?? undefined,
      gapsS: gaps === null ? [] : parseGaps(gaps),
    }))
}

/** A file that an ingest found. */
export interface PathRow {
  readonly path: string
  /** Undefined for a file that was not read. */
  readonly clipId: string | undefined
  readonly code: string | undefined
  readonly message: string | undefined
  /** True if no clip with its content is stored. */
  readonly isWithoutClip: boolean
}

interface StoredPathRow extends Readonly<Record<'clipId' | 'code' | 'message', string | null>> {
  readonly root: string
  readonly relativePath: string
  readonly isWithoutClip: number
}

/** Reads files in order of roots and paths. Skips damaged rows. */
export function readPathRows(database: Database, wanted: 'all' | 'withoutClip'): PathRow[] {
  const isWithoutClipSql = 'NOT EXISTS (SELECT 1 FROM clips WHERE clips.clip_id = paths.clip_id)'
  return database
    .prepare<[], StoredPathRow>(
      `SELECT roots.path AS root, relative_path AS relativePath, clip_id AS clipId, code, message,
         ${isWithoutClipSql} AS isWithoutClip
       FROM paths JOIN roots USING (root_id)
       WHERE ${isWhole('paths')} ${wanted === 'all' ? '' : `AND ${isWithoutClipSql}`}
       ORDER BY root_id, relative_path`,
    )
    .all()
    .map(({ root, relativePath, clipId, code, message, isWithoutClip }) => ({
      path: wholePath(root, relativePath),
      clipId: clipId ?? undefined,
      code: code ?? undefined,
      message: message ?? undefined,
      isWithoutClip: isWithoutClip !== 0,
    }))
}

/**
 * Number and total length of the stored clips, in seconds. Does not count damaged rows and unknown lengths.
 * @param clipIds only these count; default: all
 */
export function sumClips(
  database: Database,
  clipIds?: ReadonlySet<string>,
): { readonly clips: number; readonly durationS: number } {
  if (clipIds !== undefined) return sumOf(database, clipIds)
  return (
    database
      .prepare<[], { clips: number; durationS: number }>(
        `SELECT count(*) AS clips, coalesce(sum(duration_s), 0) AS durationS FROM clips WHERE ${isWhole('clips')}`,
      )
      .get() ?? { clips: 0, durationS: 0 }
  )
}

function sumOf(database: Database, clipIds: ReadonlySet<string>) {
  const rows = database
    .prepare<[], [clipId: string, durationS: number | null]>(
      `SELECT clip_id, duration_s FROM clips WHERE ${isWhole('clips')}`,
    )
    .raw()
  let [clips, durationS] = [0, 0]
  for (const [clipId, ownS] of rows.iterate()) {
    if (!clipIds.has(clipId)) continue
    clips++
    durationS += ownS ?? 0
  }
  return { clips, durationS }
}
