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
  /** How much of its video was looked at; undefined where there is no archive yet. */
  readonly coverage: CoverageSum | undefined
  /** Sentences about opening it. */
  readonly notices: readonly string[]
}

/**
 * Says whether the archive in a folder is whole, or can be made there.
 * @param isDeep look at every row, and not only at the structure of the file
 * @param damaged what is found damaged is added
 * @throws ARCHIVE_DAMAGED with a list of what is damaged; as `openArchive` does; an Error where no archive can be made there
 */
export function checkArchive(dir: string, isDeep: boolean, damaged: DamagedThing[]): ArchiveCheck {
  if (!existsSync(join(dir, databaseFileName))) {
    checkCanBeMade(dir)
    const detail = `${dir} holds no archive yet; the first ingest makes it`
    return { detail, coverage: undefined, notices: [] }
  }
  const notices: string[] = []
  const archive = openArchiveToRead(dir, (notice) => notices.push(notice))
  try {
    if (isDeep) checkRows(archive, damaged)
    else checkFile(archive)
    const { clips, tracks } = archive.clips.counts()
    const state = isDeep ? 'every row is as it was written' : 'its file is intact'
    const detail = `${dir}: ${counted(clips, 'clip')}, ${counted(tracks, 'track')}, ${state}`
    return { detail, coverage: summariseCoverage(archive), notices }
  } finally {
    archive.close()
  }
}

/** Undefined, too, where the archive cannot be opened: `checkArchive` says why. */
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

/** An ingest makes all the folders that are missing, below the nearest that is there. */
function checkCanBeMade(dir: string): void {
  let nearest = dir
  while (!existsSync(nearest)) nearest = dirname(nearest)
  if (!statSync(nearest).isDirectory())
    throw new Error(`the archive ${dir} cannot be made: ${nearest} is no folder`)
  translateSqliteErrors(dir, () => accessSync(nearest, constants.W_OK | constants.X_OK))
}
