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

/** What is wrong with the file of an archive. If both lists are empty, it is intact. */
export interface DeepCheck {
  /** Rows that have changed or are missing, by owner. */
  readonly damage: readonly Damage[]
  /** Sentences about SQLite's pages and indexes, and about dangling references. */
  readonly structure: readonly string[]
}

/** Checks every page and every row. If the archive is writable, marks damaged clips for the next ingest. */
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
      ({ table, parent }) => `rows of ${table} refer to rows of ${parent} that do not exist`,
    )
    found.push(...new Set(orphans))
    const lost = wrongSequences(database)
    found.push(...lost.map((table) => `the id counter of ${table} is wrong`))
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
 * Repairs what can be repaired without the clips. Rebuilds the indexes and, if that is not enough, the file. Erases
 * rows with dangling references, because their keys were damaged. Call it after `checkDeeply`, which uses the old
 * indexes to find the owners of damaged rows.
 * @returns the structural damage that remains
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
