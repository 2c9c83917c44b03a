import type { Database } from '../sqlite.js'

/** The settings that differ from their defaults: JSON values by key. */
export const settingRows = (database: Database): { key: string; value: string }[] =>
  database.prepare<[], { key: string; value: string }>('SELECT key, value FROM settings ORDER BY key').all()

export function writeSetting(database: Database, key: string, value: string): void {
  database
    .prepare(
      'INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
    )
    .run(key, value)
}
