import { perConnection } from './per-connection.js'
import { z } from 'zod'
import { CameoError } from '../../pipeline/common/errors.js'
import { featureSchema, settingsSchema, type Recipe } from '../../pipeline/recipe/recipe.js'
import { isWhole } from './checksum.js'
import { keptRowsOf } from './kept-rows.js'
import type { Database } from './sqlite.js'

/** How the clips of an archive are processed. Fixed by the first ingest. */
const archiveRecipeSchema = z.object({
  digest: z.string(),
  embedderDigest: z.string(),
  spaceDigest: z.string(),
  /** Name or JSON file, as given. */
  packName: z.string(),
  headFile: z.string().optional(),
  settings: settingsSchema,
  /**
   * Further embedders and context encoders. Their vectors are stored in addition to those of the pack. Absent if
   * there are none.
   */
  features: z
    .array(
      featureSchema.extend({
        /** The JSON file. Absent if the clips of this archive came from workers. */
        source: z.string().optional(),
      }),
    )
    .optional(),
})

export type ArchiveRecipe = z.infer<typeof archiveRecipeSchema>
export type ArchiveFeature = NonNullable<ArchiveRecipe['features']>[number]

const metaStatement = perConnection((database) =>
  database.prepare<[string], { value: string; isWhole: number }>(
    `SELECT value, ${isWhole('meta')} AS isWhole FROM meta WHERE key = ?`,
  ),
)

/**
 * @throws ARCHIVE_DAMAGED if the value is damaged, or if the key is missing and a damaged row may be the one that had
 * it
 */
export function readMeta(database: Database, key: string): string | undefined {
  const row = metaStatement(database).get(key)
  const damaged = row === undefined ? hasDamagedRow(database, 'meta') : row.isWhole === 0
  if (damaged)
    throw new CameoError(
      'ARCHIVE_DAMAGED',
      `the metadata of the archive is damaged ("${key}"): restore it from a backup, or ingest into a new archive`,
    )
  return row?.value
}

const damagedRowStatements = perConnection((database) => {
  const select = (table: 'meta' | 'spaces') =>
    database.prepare(`SELECT 1 FROM ${table} NOT INDEXED WHERE NOT ${isWhole(table)} LIMIT 1`)
  return { meta: select('meta'), spaces: select('spaces') }
})

const hasDamagedRow = (database: Database, table: 'meta' | 'spaces'): boolean =>
  damagedRowStatements(database)[table].get() !== undefined

export function writeMeta(database: Database, key: string, value: string): void {
  database
    .prepare(
      'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
    )
    .run(key, value)
}

export function deleteMeta(database: Database, key: string): void {
  database.prepare('DELETE FROM meta WHERE key = ?').run(key)
}

/** Identifies the archive. @throws ARCHIVE_DAMAGED */
export function readArchiveId(database: Database): string {
  const id = readMeta(database, 'archive_id')
  if (id === undefined)
    throw new CameoError('ARCHIVE_DAMAGED', 'the archive has lost its id: restore it from a backup')
  return id
}

const engineKey = 'vectors.engine'

/** Name of the engine that indexes the vectors. Undefined if none was chosen. @throws ARCHIVE_DAMAGED */
export const readEngineName = (database: Database): string | undefined => readMeta(database, engineKey)

export function writeEngineName(database: Database, name: string | undefined): void {
  if (name === undefined) deleteMeta(database, engineKey)
  else writeMeta(database, engineKey, name)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Undefined before the first ingest. @throws ARCHIVE_DAMAGED */
export function readArchiveRecipe(database: Database): ArchiveRecipe | undefined {
  const text = readMeta(database, 'recipe')
  if (text === undefined) {
    if (database.prepare('SELECT 1 FROM runs LIMIT 1').get() === undefined) return undefined
    throw new CameoError(
      'ARCHIVE_DAMAGED',
      `the archive's recipe is lost: restore it from a backup, or ingest into a new archive`,
    )
  }
  const parsed = archiveRecipeSchema.safeParse(jsonOf(text))
  if (!parsed.success)
    throw new CameoError(
      'ARCHIVE_DAMAGED',
      `the archive's recipe cannot be read: ${z.prettifyError(parsed.error)}`,
    )
  return parsed.data
}

export function writeArchiveRecipe(database: Database, recipe: ArchiveRecipe): void {
  writeMeta(database, 'recipe', JSON.stringify(recipe))
}

/** The part of a recipe that identifies its descriptor space. */
type SpaceRecipe = Pick<Recipe, 'spaceDigest' | 'packName'>

/** Returns the descriptor space of the recipe, and creates it if it is new. The active space stays the same. */
export function addSpace(database: Database, recipe: SpaceRecipe, dimension: number): Space {
  database
    .prepare(
      'INSERT INTO spaces (digest, dimension, description, active) VALUES (?, ?, ?, 0) ON CONFLICT (digest) DO NOTHING',
    )
    .run(
      recipe.spaceDigest,
      dimension,
      JSON.stringify({ pack: recipe.packName, pooling: 'quality-weighted' }),
    )
  const space = spacesOf(database).find(({ digest }) => digest === recipe.spaceDigest)
  if (space === undefined) throw new Error('the new space is missing')
  return space
}

/** Returns the id of the recipe's descriptor space, creates the space if it is new, and makes it the active one. */
export function activateSpace(database: Database, recipe: SpaceRecipe, dimension: number): number {
  return database
    .transaction(() => {
      addSpace(database, recipe, dimension)
      database.prepare('UPDATE spaces SET active = (digest = ?)').run(recipe.spaceDigest)
      const space = activeSpace(database)
      if (space === undefined) throw new Error('the activated space is missing')
      return space.spaceId
    })
    .immediate()
}

export interface Space {
  readonly spaceId: number
  readonly digest: string
  readonly dimension: number
}

/** The space that is searched. @throws ARCHIVE_DAMAGED */
export const activeSpace = (database: Database): Space | undefined =>
  keptRowsOf(database).value('active space', () => readActiveSpace(database))

function readActiveSpace(database: Database): Space | undefined {
  if (hasDamagedRow(database, 'spaces'))
    throw new CameoError(
      'ARCHIVE_DAMAGED',
      "the record of the archive's descriptor spaces is damaged: restore it from a backup, or ingest into a new archive",
    )
  return database
    .prepare<[], Space>('SELECT space_id AS spaceId, digest, dimension FROM spaces WHERE active = 1')
    .get()
}

export function spacesOf(database: Database): Space[] {
  return database
    .prepare<[], Space>('SELECT space_id AS spaceId, digest, dimension FROM spaces ORDER BY space_id')
    .all()
}
