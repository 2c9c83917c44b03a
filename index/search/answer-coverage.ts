import type { Archive } from '../archive/open-archive.js'
import { coverageOfClips, isUnseen, type ClipCoverage } from '../coverage/read-coverage.js'
import { summariseCoverage, type CoverageSum } from '../coverage/sum-coverage.js'
import { keptReadsOf } from '../store/kept-reads.js'
import type { ClipMatch } from './clip-match.js'

/** How much of the archive, and of the clips in the answer, was examined. */
export interface AnswerCoverage {
  /** The coverage of the whole archive. */
  readonly sum: CoverageSum
  /** Clips of the answer that were examined only in part, keyed by clip id. */
  readonly unseen: ReadonlyMap<string, ClipCoverage>
}

export function coverageOfAnswer(archive: Archive, matches: readonly ClipMatch[]): AnswerCoverage {
  const clips = coverageOfClips(
    archive,
    matches.map(({ clipId }) => clipId),
  )
  const unseen = clips.flatMap((clip) =>
    clip.clipId === undefined || !isUnseen(clip) ? [] : [[clip.clipId, clip] as const],
  )
  const { database, visible } = archive
  const name = `coverage ${visible?.paths.startsJson ?? 'of all'}`
  return { sum: keptReadsOf(database).get(name, () => summariseCoverage(archive)), unseen: new Map(unseen) }
}
