import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { counted } from '../../pipeline/common/counted.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { damagedThings, describeDamaged, type DamagedThing } from '../archive/damaged-things.js'
import { checkDeeply } from '../archive/deep-check.js'
import { openArchiveToRead, type Archive } from '../archive/open-archive.js'
import { summariseCoverage, type CoverageSum } from '../coverage/sum-coverage.js'
import { databaseFileName, translateSqliteErrors } from '../store/database.js'
import { firstPageProblem } from '../store/file-structure.js'
import type { ArchiveRecipe } from '../store/meta.js'

export interface ArchiveCheck {
  /** A sentence. */
  readonly detail: string
  /** How much of its video was examined. Undefined if there is no archive yet. */
  readonly coverage: CoverageSum | undefined
  /** Notices from opening the archive, as sentences. */
  readonly notices: readonly string[]
}

/**
 * Checks that the archive in a folder is intact, or that one can be created there.
 * @param isDeep check every row, not only the structure of the file
 * @param damaged damaged things are added to this list
 * @throws ARCHIVE_DAMAGED with a list of what is damaged; the errors of `openArchive`; an Error if no archive can be
 * created there
 */
export function checkArchive(dir: string, isDeep: boolean, damaged: DamagedThing[]): ArchiveCheck {
  if (!existsSync(join(dir, databaseFileName))) {
    checkCanBeMade(dir)
    const detail = `${dir} has no archive yet; the first ingest creates it`
    return { detail, coverage: undefined, notices: [] }
  }
  const notices: string[] = []
  const archive = openArchiveToRead(dir, (notice) => notices.push(notice))
  try {
    if (isDeep) checkRows(archive, damaged)
    else checkFile(archive)
    const { clips, tracks } = archive.clips.counts()
    const state = isDeep ? 'all rows are intact' : 'its file is intact'
    const detail = `${dir}: ${counted(clips, 'clip')}, ${counted(tracks, 'track')}, ${state}`
    return { detail, coverage: summariseCoverage(archive), notices }
  } finally {
    archive.close()
  }
}

/**
 * The recipe of an archive. Undefined before the first ingest, or if the archive cannot be opened: `checkArchive`
 * reports the reason.
 */
export function recipeOfArchive(dir: string): ArchiveRecipe | undefined {
  try {
    const archive = openArchiveToRead(dir, () => undefined)
    try {
      return archive.recipe
    } finally {
      archive.close()
    }
  } catch {
    return undefined
  }
}

function checkFile({ dir, database }: Archive): void {
  const problem = firstPageProblem(database)
  if (problem !== undefined) throw damagedArchive(dir, `: ${problem}`)
}

function checkRows(archive: Archive, damaged: DamagedThing[]): void {
  const { damage, structure } = checkDeeply(archive.database)
  damaged.push(...damagedThings(archive, damage))
  if (damaged.length === 0 && structure.length === 0) return
  const lines = [...damaged.map(describeDamaged), ...structure.map((line) => `the file: ${line}`)]
  throw damagedArchive(archive.dir, [':', ...lines].join('\n  '))
}

const damagedArchive = (dir: string, what: string) =>
  new CameoError('ARCHIVE_DAMAGED', `${dir} is damaged${what}`, {
    details: { remedy: 'repair-archive', archive: dir },
  })

/** Checks the nearest existing folder, because an ingest creates the missing folders below it. */
function checkCanBeMade(dir: string): void {
  let nearest = dir
  while (!existsSync(nearest)) nearest = dirname(nearest)
  if (!statSync(nearest).isDirectory())
    throw new Error(`the archive ${dir} cannot be created: ${nearest} is not a folder`)
  translateSqliteErrors(dir, () => accessSync(nearest, constants.W_OK | constants.X_OK))
}
