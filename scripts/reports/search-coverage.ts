import { toCoverageJson, unseenLines, coverageLine } from './coverage-text.js'
import type { ClipMatch } from '../../index/search/clip-match.js'
import type { AnswerCoverage } from '../../index/search/answer-coverage.js'

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
