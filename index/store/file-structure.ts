import type { Database } from './sqlite.js'

/**
 * SQLite's own structure below the rows: pages, indexes, references, and the id counter of each table. Every function
 * throws an SQLite error if a page of the file cannot be read.
 */

/** The first problem of a page, or undefined. Faster than `pageProblems`, because it does not compare indexes. */
export function firstPageProblem(database: Database): string | undefined {
  const found = database.prepare<[], string>('PRAGMA quick_check').pluck().get()
  return found === 'ok' ? undefined : found
}

/** The problems of pages and indexes, in SQLite's words. */
export function pageProblems(database: Database): string[] {
  return database
    .prepare<[], string>('PRAGMA integrity_check')
    .pluck()
    .all()
    .filter((line) => line !== 'ok')
}

/** Tables with a row that refers to a missing row of another table. */
export function danglingReferences(
  database: Database,
): { readonly table: string; readonly parent: string }[] {
  return database.prepare<[], { table: string; parent: string }>('PRAGMA foreign_key_check').all()
}

/** Tables that never reuse a key, and the column of the key. */
const numbered = {
  ...{ tracks: 'track_id', descriptors: 'label', descriptor_changes: 'change', identities: 'identity_id' },
  ...{ journal: 'entry', outbox: 'entry', people: 'person_id', people_changes: 'change_id' },
} as const

const isUnknownSql = "name NOT IN (SELECT name FROM sqlite_schema WHERE sql LIKE '%AUTOINCREMENT%')"

/**
 * SQLite stores the id counter of each table without a checksum. A counter that is too high does no harm. One that is
 * too low would reuse an id. The change log contains the last label even if that label is erased.
 */
const wrongSequencesSql = `
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

/** Tables with a wrong id counter. */
export const wrongSequences = (database: Database): string[] =>
  database.prepare<[], string>(wrongSequencesSql).pluck().all()

/** Rebuilds every index from its rows. */
export function rebuildIndexes(database: Database): void {
  database.exec('REINDEX')
}

/** Rewrites the whole file. */
export function rebuildFile(database: Database): void {
  database.exec('VACUUM')
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
  ...(['reference_faces', 'reference_pictures', 'identity_aliases', 'corrections'] as const).map(
    (table) => [table, 'identities', `identities.identity_id = ${table}.identity_id`] as const,
  ),
  ['people_tracks', 'tracks', 'tracks.track_id = people_tracks.track_id'],
  ['people_tracks', 'people', 'people.person_id = people_tracks.person_id'],
  ...(['people_links', 'people_before', 'people_moves', 'people_enrolled'] as const).map(
    (table) => [table, 'people_changes', `people_changes.change_id = ${table}.change_id`] as const,
  ),
  ['people_links', 'people_anchors', 'people_anchors.anchor_id = people_links.a'],
  ['people_links', 'people_anchors', 'people_anchors.anchor_id = people_links.b'],
  ['people_moves', 'people_anchors', 'people_anchors.anchor_id = people_moves.anchor_id'],
  ['people_enrolled', 'identities', 'identities.identity_id = people_enrolled.identity_id'],
] as const

/** References that may be empty. */
const optionalReferences = [
  ['people', 'identity_id', 'identities'],
  ['people_before', 'identity_id', 'identities'],
  ['people_anchors', 'track_id', 'tracks'],
  ['people_anchors', 'person_id', 'people'],
  ['reference_faces', 'picture_id', 'reference_pictures'],
] as const

/** Deletes rows that refer to a missing row. */
export function deleteOrphans(database: Database): void {
  for (const [table, parent, refers] of orphansOf)
    database.prepare(`DELETE FROM ${table} WHERE NOT EXISTS (SELECT 1 FROM ${parent} WHERE ${refers})`).run()
  for (const [table, key, parent] of optionalReferences)
    database
      .prepare(`UPDATE ${table} SET ${key} = NULL WHERE ${key} NOT IN (SELECT ${key} FROM ${parent})`)
      .run()
}

/** Sets the id counter of each table to the largest known id. */
export function raiseSequences(database: Database): void {
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
