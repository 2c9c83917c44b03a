import { realpathSync } from 'node:fs'
import { CameoError } from '../../pipeline/common/errors.js'
import { forgetEnrolled, listSources } from './identities.js'
import type { Database } from '../store/sqlite.js'
import { eraseTransient, noteErasure } from '../store/erasure.js'
import { wholePathSql } from '../store/files.js'
import { appendJournal } from '../store/journal.js'

/** The clip that a person means: its id, the beginning of it (8 digits or more), or the path of its file. */
export function findClipId(database: Database, idOrPath: string): string {
  const ids = /^[0-9a-f]{8,64}$/.test(idOrPath)
    ? database
        .prepare<[string], string>("SELECT clip_id FROM clips WHERE clip_id LIKE ? || '%'")
        .pluck()
        .all(idOrPath)
    : database
        .prepare<[string], string>(
          `SELECT DISTINCT clip_id FROM paths JOIN roots USING (root_id)
           WHERE ${wholePathSql} = ? AND clip_id IS NOT NULL`,
        )
        .pluck()
        .all(idOrPath)
  const [id, another] = ids
  if (id === undefined)
    throw new CameoError('CLIP_UNKNOWN', `the archive holds no clip "${idOrPath}": give its id or its path`)
  if (another !== undefined)
    throw new CameoError(
      'CLIP_UNKNOWN',
      `"${idOrPath}" begins the ids of ${ids.length} clips: give more digits`,
    )
  return id
}

/** What goes with a clip's content. */
export interface ClipLoss {
  /** Of all files that are known to have the content, in whatever folder. */
  readonly paths: readonly string[]
  /** Names that were enrolled with faces from one of these files. */
  readonly names: readonly string[]
}

export function lossOf(database: Database, clipId: string): ClipLoss {
  const names = enrolledFrom(database, clipId).map(({ name }) => name)
  return { paths: pathsOf(database, clipId), names: [...new Set(names)] }
}

/**
 * Erases a clip and everything derived from it, the faces that names were enrolled with from it too; its content stays away
 * when its file is ingested again. Files of the archive hold what was erased until `finishErasure`.
 */
export function forgetClip(database: Database, clipId: string): ClipLoss {
  return database
    .transaction(() => {
      const loss = lossOf(database, clipId)
      for (const { name, source } of enrolledFrom(database, clipId)) forgetEnrolled(database, name, source)
      database.prepare('DELETE FROM clips WHERE clip_id = ?').run(clipId)
      database.prepare('DELETE FROM paths WHERE clip_id = ?').run(clipId)
      eraseTransient(database, clipId)
      database
        .prepare('INSERT INTO forgotten_clips (clip_id, at) VALUES (?, ?) ON CONFLICT DO NOTHING')
        .run(clipId, new Date().toISOString())
      appendJournal(database, 'forget-clip', { clipId })
      noteErasure(database)
      return loss
    })
    .immediate()
}

function enrolledFrom(database: Database, clipId: string): { name: string; source: string }[] {
  const paths = new Set(pathsOf(database, clipId))
  return listSources(database).filter(({ source }) => paths.has(source) || paths.has(realPathOf(source)))
}

function pathsOf(database: Database, clipId: string): string[] {
  return database
    .prepare<[string], string>(
      `SELECT ${wholePathSql} AS path FROM paths JOIN roots USING (root_id) WHERE clip_id = ? ORDER BY path`,
    )
    .pluck()
    .all(clipId)
}

function realPathOf(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path // of a file that is gone
  }
}

export function isForgotten(database: Database, clipId: string): boolean {
  return database.prepare('SELECT 1 FROM forgotten_clips WHERE clip_id = ?').get(clipId) !== undefined
}

/** Lets a forgotten content in again. */
export function remember(database: Database, clipId: string): void {
  if (!isForgotten(database, clipId)) return
  database.prepare('DELETE FROM forgotten_clips WHERE clip_id = ?').run(clipId)
  appendJournal(database, 'remember-clip', { clipId })
}
