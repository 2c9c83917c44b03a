import type { Archive } from '../archive/open-archive.js'
import { coverageOfClip, isUnseen, type ClipCoverage } from '../coverage/read-coverage.js'
import { summariseCoverage, type CoverageSum } from '../coverage/sum-coverage.js'
import { keptReadsOf } from '../store/kept-reads.js'
import { keptRowsOf } from '../store/kept-rows.js'
import type { ClipMatch } from './clip-match.js'

/** How much of the archive, and of the clips in the answer, was examined. */
export interface AnswerCoverage {
  /** The coverage of the whole archive. */
  readonly sum: CoverageSum
  /** Clips of the answer that were examined only in part, keyed by clip id. */
  readonly unseen: ReadonlyMap<string, ClipCoverage>
}

/** What the coverage of a whole archive is called among kept reads. */
export const coverageName = 'coverage of all'

export function coverageOfAnswer(archive: Archive, matches: readonly ClipMatch[]): AnswerCoverage {
  const { database, visible } = archive
  const coverageOf = keptRowsOf(database).of('coverage', (clipId: string) => coverageOfClip(archive, clipId))
  const unseen = matches.flatMap(({ clipId }) => {
    const clip = coverageOf(clipId)
    return clip === undefined || !isUnseen(clip) ? [] : [[clipId, clip] as const]
  })
  const name = visible === undefined ? coverageName : `coverage ${visible.paths.startsJson}`
  return { sum: keptReadsOf(database).get(name, () => summariseCoverage(archive)), unseen: new Map(unseen) }
}
