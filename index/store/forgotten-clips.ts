import type { Database } from './sqlite.js'

/** Clips that a person has forgotten: an ingest skips them. */

export function isForgotten(database: Database, clipId: string): boolean {
  return database.prepare('SELECT 1 FROM forgotten_clips WHERE clip_id = ?').get(clipId) !== undefined
}

export function forgottenClipIds(database: Database): string[] {
  return database.prepare<[], string>('SELECT clip_id FROM forgotten_clips').pluck().all()
}

export function addForgotten(database: Database, clipId: string): void {
  database
    .prepare('INSERT INTO forgotten_clips (clip_id, at) VALUES (?, ?) ON CONFLICT DO NOTHING')
    .run(clipId, new Date().toISOString())
}

export function removeForgotten(database: Database, clipId: string): void {
  database.prepare('DELETE FROM forgotten_clips WHERE clip_id = ?').run(clipId)
}
