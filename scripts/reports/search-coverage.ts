import type { Archive } from '../../index/archive/open-archive.js'
import { coverageOfClip, isUnseen, type ClipCoverage } from '../../index/coverage/read-coverage.js'
import { summariseCoverage, type CoverageSum } from '../../index/coverage/sum-coverage.js'
import { coverageLine, toCoverageJson, unseenLines } from './coverage-text.js'
import type { ClipMatch } from '../../index/search/clip-match.js'

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

/** A summary with, on a line of its own, how much was not looked at. */
export function withCoverage(summary: string, { sum }: AnswerCoverage): string {
  const line = coverageLine(sum)
  return line === undefined ? summary : `${summary}\n${line}`
}

/** What of a hit's clip was not looked at, a sentence each. */
export function notesOf({ clipId }: ClipMatch, { unseen }: AnswerCoverage): string[] {
  const clip = unseen.get(clipId)
  return clip === undefined ? [] : unseenLines(clip)
}

/** What `--json` says of a hit besides, where there is something to say. */
export function hitJson({ clipId, isMissing }: ClipMatch, { unseen }: AnswerCoverage) {
  const clip = unseen.get(clipId)
  return {
    ...(isMissing ? { missing: true } : {}),
    ...(clip === undefined ? {} : { coverage: toCoverageJson(clip) }),
  }
}
