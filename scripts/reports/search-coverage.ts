import { toCoverageJson, unseenLines, coverageLine } from './coverage-text.js'
import type { ClipMatch } from '../../index/search/clip-match.js'
import type { AnswerCoverage } from '../../index/search/answer-coverage.js'

/** The summary, with a line about how much was not looked at. */
export function withCoverage(summary: string, { sum }: AnswerCoverage): string {
  const line = coverageLine(sum)
  return line === undefined ? summary : `${summary}\n${line}`
}

/** What was not looked at in a hit's clip, one sentence each. */
export function notesOf({ clipId }: ClipMatch, { unseen }: AnswerCoverage): string[] {
  const clip = unseen.get(clipId)
  return clip === undefined ? [] : unseenLines(clip)
}

/** Further `--json` fields of a hit, if there are any. */
export function hitJson({ clipId, isMissing }: ClipMatch, { unseen }: AnswerCoverage) {
  const clip = unseen.get(clipId)
  return {
    ...(isMissing ? { missing: true } : {}),
    ...(clip === undefined ? {} : { coverage: toCoverageJson(clip) }),
  }
}
