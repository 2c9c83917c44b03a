import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openDatabase } from '../../index/store/database.js'
import { exchangeTables, writeSchemaChecksum } from '../../index/store/initialise.js'
import { schemaVersion } from '../../index/store/schema.js'

const frozenFile = (version: number) =>
  fileURLToPath(new URL(`../../../test/support/schemas/${version}.sql`, import.meta.url))

/**
 * The definitions of an archive of this version. The current version must be frozen too: see
 * make-old-archive.ts.
 */
export const frozenSchema = (version: number): string => readFileSync(frozenFile(version), 'utf8')

/** Returns the path of the written file. */
export function freezeSchema(): string {
  const file = frozenFile(schemaVersion)
  writeFileSync(file, schemaOfToday())
  return file
}

/** The definitions of a new archive. */
export function schemaOfToday(): string {
  const dir = mkdtempSync(join(tmpdir(), 'cameo-schema-'))
  const database = openDatabase(dir, { create: true })
  try {
    return database
      .prepare<[], string>(
        "SELECT sql || char(59, 10) FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%' ORDER BY rowid",
      )
      .pluck()
      .all()
      .join('')
  } finally {
    database.close()
    rmSync(dir, { recursive: true })
  }
}

const firstWithChecksums = 4

const aTrigger = /^CREATE TRIGGER[^]*?^END;\n/gm

/**
 * Turns an archive of today into one of an older version. Copies its rows into that version's tables, without
 * the columns that these do not have. Data of later versions is lost.
 */
export function bringBackTo(version: number, archiveDir: string): void {
  const database = openDatabase(archiveDir)
  database.pragma('foreign_keys = OFF')
  // The copied rows already include what the triggers would write.
  const sql = frozenSchema(version)
  const triggers = sql.match(aTrigger) ?? []
  database.transaction(() => {
    exchangeTables(database, sql.replace(aTrigger, ''), triggers.join(''))
    if (version >= firstWithChecksums) writeSchemaChecksum(database)
    else database.exec("DELETE FROM meta WHERE key = 'schema_checksum'")
    database.pragma(`user_version = ${version}`)
  })()
  database.exec('VACUUM')
  database.close()
}
