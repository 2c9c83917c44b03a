import { messageOf } from '../../pipeline/common/errors.js'
import { isSqliteError } from '../store/database.js'
import type { Database } from '../store/sqlite.js'
import { findDamage, markDamaged, type Damage } from '../store/damage.js'
import {
  danglingReferences,
  deleteOrphans,
  pageProblems,
  raiseSequences,
  rebuildFile,
  rebuildIndexes,
  wrongSequences,
} from '../store/file-structure.js'

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
    found.push(...pageProblems(database))
    const orphans = danglingReferences(database).map(
      ({ table, parent }) => `rows of ${table} refer to rows of ${parent} that are not there`,
    )
    found.push(...new Set(orphans))
    const lost = wrongSequences(database)
    found.push(...lost.map((table) => `the last number given out of ${table} is not what it was`))
  })
  return found
}

function unlessUnreadable(found: string[], work: () => void): void {
  try {
    work()
  } catch (error) {
    if (!isSqliteError(error)) throw error
    found.push(messageOf(error))
  }
}

/**
 * Mends what can be mended without the clips: indexes are built anew, the file is where that is not enough, and rows that refer
 * to none are erased: their keys were damaged. To be called after `checkDeeply`, which learns from the old indexes whose rows
 * are damaged.
 * @returns what of the structure is damaged still
 */
export function repairStructure(database: Database): readonly string[] {
  for (const rebuild of [rebuildIndexes, rebuildFile]) {
    if (checkStructure(database).length === 0) return []
    unlessUnreadable([], () => rebuild(database))
    unlessUnreadable([], () => deleteOrphans(database))
    unlessUnreadable([], () => raiseSequences(database))
  }
  return checkStructure(database)
}
