import { randomUUID } from 'node:crypto'
import { CameoError } from '../../pipeline/common/errors.js'
import { rowChecksum } from './checksum.js'
import type { Database } from './sqlite.js'
import { migrations, schemaVersion, tablesSql, triggersSql } from './schema.js'

/**
 * Creates the tables, or upgrades those of an older version, in one transaction.
 * @returns number of rows that had no checksum before
 */
export function initialise(database: Database): number {
  // Replacing a table would delete the rows that refer to it. This pragma has no effect within a transaction.
  database.pragma('foreign_keys = OFF')
  try {
    return database.transaction(() => makeTables(database)).immediate()
  } finally {
    database.pragma('foreign_keys = ON')
  }
}

/** Archives of this version or later are upgraded in place. */
const firstWithChecksums = 4

function makeTables(database: Database): number {
  // Another process may have done this while we waited for the write lock.
  const version = Number(database.pragma('user_version', { simple: true }))
  if (version >= schemaVersion) return 0
  let copied = 0
  if (version === 0) {
    database.exec(tablesSql + triggersSql)
    database.prepare("INSERT INTO meta (key, value) VALUES ('archive_id', ?)").run(randomUUID())
  } else {
    for (let next = version + 1; next <= schemaVersion; next++) database.exec(migrations[next] ?? '')
    if (version < firstWithChecksums) copied = exchangeTables(database, tablesSql, triggersSql)
  }
  writeSchemaChecksum(database)
  database.pragma(`user_version = ${schemaVersion}`)
  return copied
}

/**
 * Copies all rows into new definitions of the tables. Drops columns that the new tables do not have. (A stored
 * computed column cannot be added to an existing table.) Copies one table after the other, so that the next one can
 * use the freed space. Rows with checksums get new ones even if they are damaged, so a migration from version 4 or
 * later must look for damage first. Foreign keys must be off.
 * @returns number of copied rows
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

/** The columns that are written, without the checksum. */
const columnsOf = (database: Database, table: string): string[] =>
  database.prepare<[string], string>('SELECT name FROM pragma_table_info(?)').pluck().all(table)

/** Keeps the id counter, so that ids of erased rows are not reused. */
function keepSequence(database: Database, table: string): void {
  const sequence = database
    .prepare<[string], number>('SELECT seq FROM sqlite_sequence WHERE name = ?')
    .pluck()
    .get(`old_${table}`)
  if (sequence === undefined) return
  database.prepare('DELETE FROM sqlite_sequence WHERE name = ?').run(table)
  database.prepare('INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)').run(table, sequence)
}

/** Key in `meta`: checksum of the table definitions when they were created. */
const schemaKey = 'schema_checksum'

/**
 * Checks the table definitions. A flipped bit in a definition makes SQLite look for other columns or ignore a rule.
 * @throws ARCHIVE_DAMAGED
 */
export function checkSchema(database: Database, archiveDir: string): void {
  if (storedChecksum(database) === schemaChecksum(database)) return
  throw new CameoError(
    'ARCHIVE_DAMAGED',
    `the table definitions of the archive ${archiveDir} are damaged: restore it from a backup, or ingest into a new archive`,
  )
}

/** Undefined if there is none, or if the definition of its table cannot be read. */
function storedChecksum(database: Database): string | undefined {
  const select = database.prepare<[], string>("SELECT name FROM pragma_table_info('meta')").pluck()
  if (!select.all().includes('value')) return undefined
  return database.prepare<[string], string>('SELECT value FROM meta WHERE key = ?').pluck().get(schemaKey)
}

/** Stores the checksum of the table definitions in the archive. */
export function writeSchemaChecksum(database: Database): void {
  database
    .prepare('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)')
    .run(schemaKey, schemaChecksum(database))
}

/** Does not include the positions of tables in the file, because VACUUM changes them. */
function schemaChecksum(database: Database): string {
  const definitions = database
    .prepare<[], string | null>('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name')
    .raw()
    .all()
  return `${rowChecksum(...definitions.flat())}`
}
