import type { Archive } from '../archive/open-archive.js'
import { coverageOfClip, isUnseen, type ClipCoverage } from '../coverage/read-coverage.js'
import { summariseCoverage, type CoverageSum } from '../coverage/sum-coverage.js'
import type { ClipMatch } from './clip-match.js'

/** How much of what an answer rests on was looked at. */
export interface AnswerCoverage {
  /** Of the archive. */
  readonly sum: CoverageSum
  /** Clips of the answer of which something was not looked at, by their ids. */
  readonly unseen: ReadonlyMap<string, ClipCoverage>
}

export function coverageOfAnswer(archive: Archive, matches: readonly ClipMatch[]): AnswerCoverage {
  const unseen = matches.flatMap(({ clipId }) => {
    const clip = coverageOfClip(archive, clipId)
    return clip === undefined || !isUnseen(clip) ? [] : [[clipId, clip] as const]
  })
  return { sum: summariseCoverage(archive), unseen: new Map(unseen) }
}
