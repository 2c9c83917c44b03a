import type { Database } from './sqlite.js'

/**
 * Reads a text that differs after every change of the file, by this process or another. It takes microseconds, so what
 * was read from the file can be kept until the text differs.
 */
export function createChangeReader(database: Database): () => string {
  const others = database.prepare<[], number>('PRAGMA data_version').pluck()
  const own = database.prepare<[], number>('SELECT total_changes()').pluck()
  return () => `${others.get() ?? 0}.${own.get() ?? 0}`
}
