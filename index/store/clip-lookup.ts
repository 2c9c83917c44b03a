import type { Database } from './sqlite.js'
import { wholePathSql } from './whole-path.js'

/** @param digits first hex digits of an id */
export function clipIdsBeginning(database: Database, digits: string): string[] {
  return database
    .prepare<[string], string>("SELECT clip_id FROM clips WHERE clip_id LIKE ? || '%'")
    .pluck()
    .all(digits)
}

/** The clips that were found at this path. Usually at most one. */
export function clipIdsAt(database: Database, path: string): string[] {
  return database
    .prepare<[string], string>(
      `SELECT DISTINCT clip_id FROM paths JOIN roots USING (root_id)
       WHERE ${wholePathSql} = ? AND clip_id IS NOT NULL`,
    )
    .pluck()
    .all(path)
}

/** Whether a file was met at this path, or below it. */
export function hasPathBelow(database: Database, folder: string): boolean {
  const paths = pathsBelow(database, folder)
  const { done } = paths.next()
  paths.return?.()
  return done !== true
}

/** The paths at which files were met: this one, and those below it. Nothing may be written before the iteration ends. */
export function pathsBelow(database: Database, folder: string): IterableIterator<string> {
  const start = folder.endsWith('/') ? folder : `${folder}/`
  return database
    .prepare<{ folder: string; start: string }, string>(
      `SELECT ${wholePathSql} FROM paths JOIN roots USING (root_id)
       WHERE ${wholePathSql} = @folder OR substr(${wholePathSql}, 1, length(@start)) = @start`,
    )
    .pluck()
    .iterate({ folder, start })
}

/** Every content that was met at a path, whether clips of it are stored or not. */
export function clipIdsWithPath(database: Database): string[] {
  return database
    .prepare<[], string>('SELECT DISTINCT clip_id FROM paths WHERE clip_id IS NOT NULL')
    .pluck()
    .all()
}

/** Every clip that the archive has, or has met at a path. */
export function everyClipId(database: Database): string[] {
  return database
    .prepare<[], string>(
      'SELECT clip_id FROM clips UNION SELECT clip_id FROM paths WHERE clip_id IS NOT NULL ORDER BY clip_id',
    )
    .pluck()
    .all()
}

/** Every path of a clip, in order, including paths in damaged rows. */
export function everyPathOf(database: Database, clipId: string): string[] {
  return database
    .prepare<[string], string>(
      `SELECT ${wholePathSql} AS path FROM paths JOIN roots USING (root_id) WHERE clip_id = ? ORDER BY path`,
    )
    .pluck()
    .all(clipId)
}

/** Deletes a clip, all rows that depend on it, and its paths. */
export function deleteClip(database: Database, clipId: string): void {
  database.prepare('DELETE FROM clips WHERE clip_id = ?').run(clipId)
  database.prepare('DELETE FROM paths WHERE clip_id = ?').run(clipId)
}
