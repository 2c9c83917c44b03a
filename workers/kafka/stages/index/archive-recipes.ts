import { z } from 'zod'
import { adoptRecipe, type Archive } from '../../../../index/archive/open-archive.js'
import { parseColumn } from '../../../../index/store/json-column.js'
import type { Database } from '../../../../index/store/sqlite.js'
import { addSpace, deleteMeta, readMeta, writeMeta, type Space } from '../../../../index/store/meta.js'
import { CameoError } from '../../../../pipeline/common/errors.js'
import { checkHead, type HeadFile } from '../../../../pipeline/describe/head/head-file.js'
import { headName } from '../../messages/segment-messages.js'
import type { WireRecipe } from '../../messages/schemas.js'

/** Digests of the recipes that an archive accepted, and the time of each recipe's newest message, ms. */
const takenKey = 'kafka.recipes'

/** Present from the start of a replay until the archive has caught up: the recipes accepted before. */
const replayKey = 'kafka.replay'

const takenSchema = z.record(z.string(), z.number())
const replaySchema = z.array(z.string())

export interface ArchiveRecipesOptions {
  readonly archive: Archive
  /** Accept another recipe than the archive's, with its next message. */
  readonly reprocess: boolean
  /** The head of the describe workers, for searches in this archive. */
  readonly head: HeadFile | undefined
}

/**
 * Chooses the archive's recipe if its topic has messages of several recipes. A topic's partitions are read in
 * no particular order, so the time of writing decides: the recipe of the newest message becomes the
 * archive's. Clips that were never processed with it keep their rows.
 */
export interface ArchiveRecipes {
  /**
   * The descriptor space for the rows of a message.
   * @param writtenMs when the message was written
   * @throws ARCHIVE_OTHER_RECIPE, and RECIPE_MISMATCH if the descriptors were made with another head
   */
  spaceFor(recipe: WireRecipe, dimension: number, writtenMs: number): number
  /** Stores the accepted recipes. Call it in the transaction of the rows. */
  save(): void
}

export function createArchiveRecipes({ archive, reprocess, head }: ArchiveRecipesOptions): ArchiveRecipes {
  const { database } = archive
  const taken = readTaken(database)
  const replayed = readReplayed(database)
  const takesOver = reprocess || replayed !== undefined
  let isChanged = false

  /**
   * True for an earlier recipe of the archive, or one that arrives late: the archive's own recipe is newer.
   */
  const isOlder = (own: string, writtenMs: number) => takesOver && writtenMs < (taken[own] ?? 0)

  /** Searches need the head that made the descriptors. An archive with this head remembers its path. */
  function checkOwnHead(recipe: WireRecipe): void {
    const { digest, headSha256 } = recipe
    if (headSha256 === head?.sha256) {
      if (head !== undefined) checkHead(head, recipe)
      return
    }
    if (head === undefined && archive.recipe?.digest === digest) return
    throw new CameoError(
      'RECIPE_MISMATCH',
      `the clip was submitted with ${headName(headSha256)}, this worker has ${headName(head?.sha256)}; start the index worker with the same head, then submit the clip again`,
      { details: { remedy: 'use-same-head', stage: 'index', headSha256 } },
    )
  }

  function note(digest: string, writtenMs: number): void {
    if (writtenMs <= (taken[digest] ?? 0)) return
    taken[digest] = writtenMs
    isChanged = true
  }

  return {
    spaceFor(recipe, dimension, writtenMs) {
      const { digest, packName } = recipe
      const own = archive.recipe?.digest
      if (replayed !== undefined && replayed.length > 0 && !replayed.includes(digest))
        throw new CameoError(
          'ARCHIVE_OTHER_RECIPE',
          `the archive ${archive.dir} never took clips with these settings: submit the clip again with the archive's own settings`,
        )
      if (own !== undefined && own !== digest && isOlder(own, writtenMs)) {
        note(digest, writtenMs)
        return spaceOf(addSpace(database, recipe, dimension), dimension)
      }
      checkOwnHead(recipe)
      const source = { packName, ...(head === undefined ? {} : { headFile: head.path }) }
      if (own !== digest) adoptRecipe(archive, recipe, source, dimension, takesOver)
      const spaceId = spaceOf(addSpace(database, recipe, dimension), dimension)
      note(digest, writtenMs)
      return spaceId
    },
    save() {
      if (isChanged) writeMeta(database, takenKey, JSON.stringify(taken))
      isChanged = false
    },
  }
}

function spaceOf(space: Space, dimension: number): number {
  if (space.dimension === dimension) return space.spaceId
  throw new CameoError(
    'MESSAGE_INVALID',
    `the message says that its descriptors have ${dimension} values, those of its recipe have ${space.dimension}`,
  )
}

/**
 * Whether a head was applied to an archive that was fed by messages. Then its recipe is not the recipe of any
 * message.
 */
export function isDescribedHere({ database, recipe }: Archive): boolean {
  const taken = Object.keys(readTaken(database))
  return recipe !== undefined && taken.length > 0 && !taken.includes(recipe.digest)
}

/**
 * From now on the archive accepts only the recipes that it had accepted before; any recipe if it knows none.
 */
export function beginReplay(database: Database): void {
  if (readReplayed(database) !== undefined) return
  writeMeta(database, replayKey, JSON.stringify(Object.keys(readTaken(database))))
}

export const isReplaying = (database: Database) => readReplayed(database) !== undefined

export function endReplay(database: Database): void {
  deleteMeta(database, replayKey)
}

function readTaken(database: Database): Record<string, number> {
  const text = readMeta(database, takenKey)
  return text === undefined ? {} : parseColumn(takenSchema, text, takenKey)
}

function readReplayed(database: Database): readonly string[] | undefined {
  const text = readMeta(database, replayKey)
  return text === undefined ? undefined : parseColumn(replaySchema, text, replayKey)
}
