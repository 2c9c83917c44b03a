import { isPathBelowSql, type PathScope } from './path-scope.js'
import type { Database } from './sqlite.js'

/** The device of a file that workers fetched: its stamp holds a version, no time. */
const remoteDevice = 'remote'

/** When \`c.clip_id\` came into the archive, ms since 1970. */
export const addedDateSql = 'CAST(1000 * (julianday(c.added_at) - 2440587.5) * 86400 AS INTEGER)'

/**
 * The date of \`c.clip_id\`, ms since 1970: when the oldest of its files was last written, for a copy may be younger than what was
 * filmed. Of a clip that only workers fetched, when it came into the archive.
 */
export const clipDateSql = `coalesce(
  (SELECT min(CAST(p.mtime_ns AS INTEGER)) / 1000000 FROM paths p
   WHERE p.clip_id = c.clip_id AND p.device <> '${remoteDevice}' AND p.mtime_ns GLOB '[0-9]*'),
  ${addedDateSql})`

/** The same, of the files below one of the folders in the JSON list `@within` alone. */
export const clipDateWithinSql = `coalesce(
  (SELECT min(CAST(mtime_ns AS INTEGER)) / 1000000 FROM paths JOIN roots USING (root_id)
   WHERE paths.clip_id = c.clip_id AND device <> '${remoteDevice}' AND mtime_ns GLOB '[0-9]*'
     AND ${isPathBelowSql('@within')}),
  ${addedDateSql})`

/**
 * Reads the date of clips, ms since 1970; undefined where the archive does not hold the clip.
 * @param within only the files here count; default: all
 */
export function clipDateReader(
  database: Database,
  within?: Pick<PathScope, 'startsJson'>,
): (clipId: string) => number | undefined {
  const select = database
    .prepare<{ clipId: string; within: string }, number | null>(
      `SELECT ${within === undefined ? clipDateSql : clipDateWithinSql} FROM clips c WHERE c.clip_id = @clipId`,
    )
    .pluck()
  return (clipId) => select.get({ clipId, within: within?.startsJson ?? '[]' }) ?? undefined
}
