import { CameoError } from '../pipeline/errors.js'
import type { Database } from './store/database.js'
import { appendJournal } from './store/journal.js'

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
           WHERE roots.path || '/' || relative_path = ? AND clip_id IS NOT NULL`,
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

/**
 * Erases a clip and everything derived from it; its content stays away when its file is ingested again. The vectors are
 * in the index's snapshot until that is written anew.
 */
export function forgetClip(database: Database, clipId: string): void {
  database
    .transaction(() => {
      database.prepare('DELETE FROM clips WHERE clip_id = ?').run(clipId)
      database.prepare('DELETE FROM paths WHERE clip_id = ?').run(clipId)
      database.prepare('DELETE FROM pending_parts WHERE clip_id = ?').run(clipId)
      database
        .prepare('INSERT INTO forgotten_clips (clip_id, at) VALUES (?, ?) ON CONFLICT DO NOTHING')
        .run(clipId, new Date().toISOString())
      appendJournal(database, 'forget-clip', { clipId })
    })
    .immediate()
  scrubLog(database)
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

/** Erased rows are zeroed in the file (secure_delete); this empties the write-ahead log, which still holds them. */
export function scrubLog(database: Database): void {
  database.pragma('wal_checkpoint(TRUNCATE)')
}
