import { isWhole } from './checksum.js'
import { clipDateSql } from './clip-dates.js'
import type { Database } from './sqlite.js'
import { wholePathSql } from './whole-path.js'

/** A clip of a list. */
export interface ListedClip {
  readonly clipId: string
  /** The first of its paths, in order of letters; its id where no row says where it lies. */
  readonly path: string
  /** s; undefined where it is not known. */
  readonly durationS: number | undefined
  /** ms since 1970: see `clipDateSql`. */
  readonly dateMs: number
}

/** The first path of `c.clip_id`, in order of letters; its id where no row says where it lies. */
export const firstPathSql = `coalesce((SELECT min(${wholePathSql}) FROM paths JOIN roots USING (root_id)
  WHERE paths.clip_id = c.clip_id AND ${isWhole('paths')}), c.clip_id)`

/** True if a path of `c.clip_id` is below one of the folders in the JSON list `@starts`: see `startsOf`. */
export const isBelowSql = `EXISTS (SELECT 1 FROM paths JOIN roots USING (root_id), json_each(@starts) start
  WHERE paths.clip_id = c.clip_id AND ${isWhole('paths')}
    AND (substr(${wholePathSql}, 1, length(start.value)) = start.value OR ${wholePathSql} || '/' = start.value))`

export const startsOf = (folders: readonly string[]): string =>
  JSON.stringify(folders.map((folder) => (folder.endsWith('/') ? folder : `${folder}/`)))

/** Which clips are listed. */
export interface ListedWish {
  /** Only clips with a path below one of these folders. Empty: all. */
  readonly folders: readonly string[]
  /** ms since 1970. */
  readonly sinceMs: number | undefined
  readonly untilMs: number | undefined
  /** s; a clip whose length is not known is none of a certain length. */
  readonly minDurationS: number | undefined
  readonly maxDurationS: number | undefined
}

/**
 * Clips in order of their paths, those after the path `after`; damaged clips are left out. Nothing may be written to the
 * database before the iteration ends.
 */
export function* listClipRows(
  database: Database,
  wish: ListedWish,
  after: string | undefined,
): Generator<ListedClip, void, undefined> {
  const { folders, sinceMs, untilMs, minDurationS, maxDurationS } = wish
  const conditions = [
    isWhole('clips', 'c'),
    ...(folders.length === 0 ? [] : [isBelowSql]),
    ...(minDurationS === undefined ? [] : ['c.duration_s >= @minDurationS']),
    ...(maxDurationS === undefined ? [] : ['c.duration_s <= @maxDurationS']),
  ]
  const dates = [
    ...(sinceMs === undefined ? [] : ['dateMs >= @sinceMs']),
    ...(untilMs === undefined ? [] : ['dateMs <= @untilMs']),
  ]
  const select = database.prepare<
    Record<string, string | number | null>,
    Omit<ListedClip, 'durationS'> & { readonly durationS: number | null }
  >(
    `WITH listed AS MATERIALIZED (
       SELECT c.clip_id AS clipId, ${firstPathSql} AS path, c.duration_s AS durationS, ${clipDateSql} AS dateMs
       FROM clips c WHERE ${conditions.join(' AND ')})
     SELECT * FROM listed WHERE path > @after ${dates.map((each) => `AND ${each}`).join(' ')}
     ORDER BY path`,
  )
  const given = {
    ...{ starts: startsOf(folders), sinceMs: sinceMs ?? null, untilMs: untilMs ?? null },
    ...{ minDurationS: minDurationS ?? null, maxDurationS: maxDurationS ?? null },
  }
  for (const row of select.iterate({ ...given, after: after ?? '' }))
    yield { ...row, durationS: row.durationS ?? undefined }
}
