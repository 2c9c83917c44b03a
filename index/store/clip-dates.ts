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

/** Reads the date of clips, ms since 1970; undefined where the archive does not hold the clip. */
export function clipDateReader(database: Database): (clipId: string) => number | undefined {
  const select = database
    .prepare<[string], number | null>(`SELECT ${clipDateSql} FROM clips c WHERE c.clip_id = ?`)
    .pluck()
  return (clipId) => select.get(clipId) ?? undefined
}
