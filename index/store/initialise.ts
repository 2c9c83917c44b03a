import { randomUUID } from 'node:crypto'
import { CameoError } from '../../pipeline/common/errors.js'
import { rowChecksum } from './checksum.js'
import type { Database } from './sqlite.js'
import { migrations, schemaVersion, tablesSql, triggersSql } from './schema.js'

/**
 * Makes the tables, or brings those of an older version up to date, in one transaction.
 * @returns the rows that had no checksum until now
 */
export function initialise(database: Database): number {
  // Tables are exchanged for others of the same name, which would erase what refers to them. No use within a transaction.
  database.pragma('foreign_keys = OFF')
  try {
    return database.transaction(() => makeTables(database)).immediate()
  } finally {
    database.pragma('foreign_keys = ON')
  }
}

function makeTables(database: Database): number {
  // Another process may have done it while we waited for the write lock.
  const version = Number(database.pragma('user_version', { simple: true }))
  if (version >= schemaVersion) return 0
  let copied = 0
  if (version === 0) {
    database.exec(tablesSql + triggersSql)
    database.prepare("INSERT INTO meta (key, value) VALUES ('archive_id', ?)").run(randomUUID())
  } else {
    for (let next = version + 1; next <= schemaVersion; next++) database.exec(migrations[next] ?? '')
    copied = exchangeTables(database, tablesSql, triggersSql)
  }
  writeSchemaChecksum(database)
  database.pragma(`user_version = ${schemaVersion}`)
  return copied
}

/**
 * Copies all rows into other definitions of the tables, as far as these have the columns. (A column that SQLite computes and
 * stores cannot be added to a table.) One table after the other, so that the space of each is free for the next. Rows that have
 * checksums get new ones, right or wrong: a version after 4 has to look for damage before. Foreign keys must be off.
 * @returns the rows
 */
export function exchangeTables(database: Database, tables: string, triggers: string): number {
  const objects = database
    .prepare<[], { type: string; name: string }>(
      "SELECT type, name FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )
    .all()
  for (const { type, name } of objects) if (type !== 'table') database.exec(`DROP ${type} ${name}`)
  const names = objects.filter(({ type }) => type === 'table').map(({ name }) => name)
  for (const table of names) database.exec(`ALTER TABLE ${table} RENAME TO old_${table}`)
  database.exec(tables)
  let copied = 0
  for (const table of names) {
    const known = new Set(columnsOf(database, table))
    const columns = columnsOf(database, `old_${table}`).filter((column) => known.has(column))
    if (columns.length > 0)
      copied += database
        .prepare(
          `INSERT INTO ${table} (${columns.join(', ')}) SELECT ${columns.join(', ')} FROM old_${table}`,
        )
        .run().changes
    keepSequence(database, table)
    database.exec(`DROP TABLE old_${table}`)
  }
  database.exec(triggers)
  return copied
}

/** Those that are written: not the checksum. */
const columnsOf = (database: Database, table: string): string[] =>
  database.prepare<[string], string>('SELECT name FROM pragma_table_info(?)').pluck().all(table)

/** Numbers that were given out stay given out, also where their rows are erased. */
function keepSequence(database: Database, table: string): void {
  const sequence = database
    .prepare<[string], number>('SELECT seq FROM sqlite_sequence WHERE name = ?')
    .pluck()
    .get(`old_${table}`)
  if (sequence === undefined) return
  database.prepare('DELETE FROM sqlite_sequence WHERE name = ?').run(table)
  database.prepare('INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)').run(table, sequence)
}

/** Of `meta`: what the definitions of the tables were when they were made. */
const schemaKey = 'schema_checksum'

/**
 * A bit that flips in a definition makes SQLite look for other columns, or leave a rule out.
 * @throws ARCHIVE_DAMAGED
 */
export function checkSchema(database: Database, archiveDir: string): void {
  if (storedChecksum(database) === schemaChecksum(database)) return
  throw new CameoError(
    'ARCHIVE_DAMAGED',
    `the definitions of the tables of the archive ${archiveDir} are damaged: restore it from a backup, or ingest into a new archive`,
  )
}

/** Undefined, too, where not even the definition of its table can be read. */
function storedChecksum(database: Database): string | undefined {
  const select = database.prepare<[], string>("SELECT name FROM pragma_table_info('meta')").pluck()
  if (!select.all().includes('value')) return undefined
  return database.prepare<[string], string>('SELECT value FROM meta WHERE key = ?').pluck().get(schemaKey)
}

/** Says in the archive what its definitions are. */
export function writeSchemaChecksum(database: Database): void {
  database
    .prepare('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)')
    .run(schemaKey, schemaChecksum(database))
}

/** Not of where tables begin in the file, which VACUUM changes. */
function schemaChecksum(database: Database): string {
  const definitions = database
    .prepare<[], string | null>('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name')
    .raw()
    .all()
  return `${rowChecksum(...definitions.flat())}`
}
