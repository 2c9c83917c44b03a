import { z } from 'zod'
import { adoptRecipe, type Archive } from '../../../../index/archive/open-archive.js'
import type { Database } from '../../../../index/store/sqlite.js'
import { addSpace, deleteMeta, readMeta, writeMeta, type Space } from '../../../../index/store/meta.js'
import { CameoError } from '../../../../pipeline/common/errors.js'
import { checkHead, type HeadFile } from '../../../../pipeline/describe/head/head-file.js'
import { headName } from '../../messages/segment-messages.js'
import type { WireRecipe } from '../../messages/schemas.js'

/** Digests of the recipes whose messages an archive took, and when the newest message of each was written, ms. */
const takenKey = 'kafka.recipes'

/** Present from the beginning of a replay until the archive has caught up: the recipes it had taken before. */
const replayKey = 'kafka.replay'

const takenSchema = z.record(z.string(), z.number())
const replaySchema = z.array(z.string())

export interface ArchiveRecipesOptions {
  readonly archive: Archive
  /** Take over another recipe than the archive's, with its next message. */
  readonly reprocess: boolean
  /** The head that the describe workers have, for searches in this archive. */
  readonly head: HeadFile | undefined
}

/**
 * Which recipe an archive has where the messages of its topic are of several. The partitions of a topic are read in no particular
 * order, so it follows from when messages were written: the recipe of the newest is the archive's, and clips that were
 * never processed under that one keep their rows.
 */
export interface ArchiveRecipes {
  /**
   * The descriptor space for the rows of a message.
   * @param writtenMs when the message was written
   * @throws ARCHIVE_OTHER_RECIPE, and RECIPE_MISMATCH where the descriptors were made with another head
   */
  spaceFor(recipe: WireRecipe, dimension: number, writtenMs: number): number
  /** Remembers what was taken; to be called in the transaction of the rows. */
  save(): void
}

export function createArchiveRecipes({ archive, reprocess, head }: ArchiveRecipesOptions): ArchiveRecipes {
  const { database } = archive
  const taken = readTaken(database)
  const replayed = readReplayed(database)
  const takesOver = reprocess || replayed !== undefined
  let isChanged = false

  /** Of a recipe that the archive had before, or has not yet: its own one is newer. */
  const isOlder = (own: string, writtenMs: number) => takesOver && writtenMs < (taken[own] ?? 0)

  /** Searches need the head that the descriptors were made with; an archive that has it remembers where it lies. */
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
          `the archive ${archive.dir} never took clips of these settings: submit the clip again with the archive's own`,
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

/** Whether a head was applied to an archive that came by messages: none of these are of its recipe then. */
export function isDescribedHere({ database, recipe }: Archive): boolean {
  const taken = Object.keys(readTaken(database))
  return recipe !== undefined && taken.length > 0 && !taken.includes(recipe.digest)
}

/** From here on the archive takes the recipes that it had taken before, and no others; any where it knows of none. */
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
  return text === undefined ? {} : takenSchema.parse(JSON.parse(text))
}

function readReplayed(database: Database): readonly string[] | undefined {
  const text = readMeta(database, replayKey)
  return text === undefined ? undefined : replaySchema.parse(JSON.parse(text))
}
