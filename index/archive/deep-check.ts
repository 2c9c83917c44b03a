import { messageOf } from '../../pipeline/common/errors.js'
import { isSqliteError } from '../store/database.js'
import type { Database } from '../store/sqlite.js'
import { findDamage, markDamaged, type Damage } from '../store/damage.js'

/** What is wrong with an archive's file: nothing where both lists are empty. */
export interface DeepCheck {
  /** Rows that are not as they were written, or are missing, by whose they are. */
  readonly damage: readonly Damage[]
  /** Sentences of SQLite's about its pages and indexes, and about rows that refer to none. */
  readonly structure: readonly string[]
}

/** Looks at every page and every row. Clips that are damaged are noted for the next ingest, where the archive can be written. */
export function checkDeeply(database: Database): DeepCheck {
  const structure = checkStructure(database)
  const damage: Damage[] = []
  unlessUnreadable(structure, () => damage.push(...findDamage(database)))
  if (damage.length > 0) unlessUnreadable(structure, () => markDamaged(database, damage))
  return { damage, structure }
}

function checkStructure(database: Database): string[] {
  const found: string[] = []
  unlessUnreadable(found, () => {
    const lines = database.prepare<[], string>('PRAGMA integrity_check').pluck().all()
    found.push(...lines.filter((line) => line !== 'ok'))
    const orphans = database.prepare<[], { table: string; parent: string }>('PRAGMA foreign_key_check').all()
    found.push(
      ...new Set(
        orphans.map(({ table, parent }) => `rows of ${table} refer to rows of ${parent} that are not there`),
      ),
    )
    const sequences = database.prepare<[], string>(sequencesSql).pluck().all()
    found.push(...sequences.map((table) => `the last number given out of ${table} is not what it was`))
  })
  return found
}

/** Tables whose numbers are never given out twice, by their keys. */
const numbered = {
  ...{ tracks: 'track_id', descriptors: 'label', descriptor_changes: 'change', identities: 'identity_id' },
  ...{ journal: 'entry', outbox: 'entry' },
} as const

const isUnknownSql = "name NOT IN (SELECT name FROM sqlite_schema WHERE sql LIKE '%AUTOINCREMENT%')"

/**
 * SQLite keeps the last number of each table, without a checksum. One too high does no harm, one too low would give a number out
 * again; the change log knows the last label, also where that is erased.
 */
const sequencesSql = `
  ${Object.entries(numbered)
    .map(
      ([table, key]) =>
        `SELECT '${table}' WHERE (SELECT max(${key}) FROM ${table}) >
         coalesce((SELECT seq FROM sqlite_sequence WHERE name = '${table}'), 0)`,
    )
    .join(' UNION ALL ')}
  UNION ALL SELECT 'descriptors' WHERE (SELECT max(label) FROM descriptor_changes) >
    coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'descriptors'), 0)
  UNION ALL SELECT name FROM sqlite_sequence WHERE ${isUnknownSql}`

function unlessUnreadable(found: string[], work: () => void): void {
  try {
    work()
  } catch (error) {
    if (!isSqliteError(error)) throw error
    found.push(messageOf(error))
  }
}

const orphansOf = [
  ['runs', 'clips', 'clips.clip_id = runs.clip_id'],
  ...(['segments', 'tracks', 'context_features', 'checkpoints'] as const).map(
    (table) => [table, 'runs', `runs.clip_id = ${table}.clip_id AND runs.recipe = ${table}.recipe`] as const,
  ),
  ...(['faces', 'thumbnails', 'descriptors'] as const).map(
    (table) => [table, 'tracks', `tracks.track_id = ${table}.track_id`] as const,
  ),
  ['embeddings', 'faces', 'faces.face_id = embeddings.face_id'],
  ['reference_faces', 'identities', 'identities.identity_id = reference_faces.identity_id'],
] as const

/**
 * Mends what can be mended without the clips: indexes are built anew, the file is where that is not enough, and rows that refer
 * to none are erased: their keys were damaged. To be called after `checkDeeply`, which learns from the old indexes whose rows
 * are damaged.
 * @returns what of the structure is damaged still
 */
export function repairStructure(database: Database): readonly string[] {
  for (const step of ['REINDEX', 'VACUUM']) {
    if (checkStructure(database).length === 0) return []
    unlessUnreadable([], () => database.exec(step))
    unlessUnreadable([], () => eraseOrphans(database))
    unlessUnreadable([], () => raiseSequences(database))
  }
  return checkStructure(database)
}

function eraseOrphans(database: Database): void {
  for (const [table, parent, refers] of orphansOf)
    database.prepare(`DELETE FROM ${table} WHERE NOT EXISTS (SELECT 1 FROM ${parent} WHERE ${refers})`).run()
}

function raiseSequences(database: Database): void {
  database.exec(`DELETE FROM sqlite_sequence WHERE ${isUnknownSql}`)
  const select = database.prepare<[string], number>('SELECT seq FROM sqlite_sequence WHERE name = ?').pluck()
  for (const [table, key] of Object.entries(numbered)) {
    const from = key === 'label' ? 'descriptor_changes' : table
    const last = Math.max(
      select.get(table) ?? 0,
      database.prepare<[], number | null>(`SELECT max(${key}) FROM ${from}`).pluck().get() ?? 0,
    )
    database.prepare('DELETE FROM sqlite_sequence WHERE name = ?').run(table)
    database.prepare('INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)').run(table, last)
  }
}
