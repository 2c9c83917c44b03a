import { isWhole } from './checksum.js'
import { clipDateSql, clipDateWithinSql } from './clip-dates.js'
import { isPathBelowSql, isWholePathSql, startsOf, type PathScope } from './path-scope.js'
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

/** The first of its paths below one of the folders in the JSON list `@within`. */
const firstPathWithinSql = `(SELECT min(${wholePathSql}) FROM paths JOIN roots USING (root_id)
  WHERE paths.clip_id = c.clip_id AND ${isPathBelowSql('@within')} AND ${isWholePathSql})`

/** True if a path of `c.clip_id` is below one of the folders in the JSON list `@starts`: see `startsOf`. */
export const isBelowSql = `EXISTS (SELECT 1 FROM paths JOIN roots USING (root_id)
  WHERE paths.clip_id = c.clip_id AND ${isWhole('paths')} AND ${isPathBelowSql('@starts')})`

/** True if a path of `c.clip_id` that is below one of the folders in `@within` is below one of those in `@starts`, too. */
const isBelowWithinSql = `EXISTS (SELECT 1 FROM paths JOIN roots USING (root_id)
  WHERE paths.clip_id = c.clip_id AND ${isWholePathSql} AND ${isPathBelowSql('@starts')}
    AND ${isPathBelowSql('@within')})`

/** Which clips are listed. */
export interface ListedWish {
  /** Only clips with a path below one of these folders. Empty: all. */
  readonly folders: readonly string[]
  /** Only clips with a path here, and only these paths of them. Undefined: all. */
  readonly within: PathScope | undefined
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
  const { folders, within, sinceMs, untilMs, minDurationS, maxDurationS } = wish
  const conditions = [
    isWhole('clips', 'c'),
    ...(folders.length === 0 ? [] : [within === undefined ? isBelowSql : isBelowWithinSql]),
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
       SELECT c.clip_id AS clipId, ${within === undefined ? firstPathSql : firstPathWithinSql} AS path,
         c.duration_s AS durationS, ${within === undefined ? clipDateSql : clipDateWithinSql} AS dateMs
       FROM clips c WHERE ${conditions.join(' AND ')})
     SELECT * FROM listed WHERE path > @after ${dates.map((each) => `AND ${each}`).join(' ')}
     ORDER BY path`,
  )
  const given = {
    ...{
      starts: startsOf(folders),
      within: within?.startsJson ?? '[]',
      sinceMs: sinceMs ?? null,
      untilMs: untilMs ?? null,
    },
    ...{ minDurationS: minDurationS ?? null, maxDurationS: maxDurationS ?? null },
  }
  for (const row of select.iterate({ ...given, after: after ?? '' }))
    yield { ...row, durationS: row.durationS ?? undefined }
}
