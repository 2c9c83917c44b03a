import type { CoverageState } from '../../index/coverage/clip-coverage.js'
import type { ClipCoverage } from '../../index/coverage/read-coverage.js'
import type { CoverageSum } from '../../index/coverage/sum-coverage.js'
import { counted, oneLine } from '../cli/output.js'
import { formatTime, spanText } from '../../pipeline/common/time-text.js'

/** What an archive holds after an ingest. */
export function holdsText(
  dir: string,
  { clips, tracks }: { readonly clips: number; readonly tracks: number },
  sum: CoverageSum,
): string {
  const line = coverageLine(sum)
  const holds = `the archive ${dir} holds ${counted(clips, 'clip')}, ${counted(tracks, 'track')}`
  return line === undefined ? holds : `${holds}\n${line}`
}

function missingOf({ hours, notLookedAtHours, unknownLength }: CoverageSum): string {
  const known = notLookedAtHours > 0 ? [`${shareText(notLookedAtHours, hours)} missing`] : []
  const unknown =
    unknownLength > 0
      ? [
          `the length of ${known.length > 0 ? `${unknownLength} more` : counted(unknownLength, 'clip')} is not known`,
        ]
      : []
  return [...known, ...unknown].join('; ')
}

/** 1.4 and 20.3 → "1.4 of 20.3 h"; 0.01 and 20.3 → "36 s of 20.3 h". */
export function shareText(partHours: number, wholeHours: number): string {
  const [part, whole] = [spanText(partHours * 3600), spanText(wholeHours * 3600)]
  const unit = / \w+$/.exec(whole)?.[0] ?? ''
  return `${part.endsWith(unit) ? part.slice(0, part.length - unit.length) : part} of ${whole}`
}

const stateWords: Record<CoverageState, string> = {
  complete: 'fully looked at',
  unfinished: 'unfinished',
  failed: 'failed',
  partial: 'partial',
  truncated: 'truncated',
  damaged: 'damaged',
  'left-out': 'with something left out',
  forgotten: 'forgotten',
  'face-less': 'without a face',
  'unnamed-erased': 'with unnamed people erased',
  missing: 'missing',
}

/** "2 unfinished, 1 truncated". Clips that were fully looked at are not included. */
export function statesText({ states }: Pick<CoverageSum, 'states'>): string {
  return Object.entries(stateWords)
    .flatMap(([state, words]) => {
      const count = Object.entries(states).find(([name]) => name === state)?.[1] ?? 0
      return state === 'complete' || count === 0 ? [] : [`${count} ${words}`]
    })
    .join(', ')
}

/** What is wrong with one clip, one sentence each; empty if it was fully looked at. */
export function unseenLines(
  clip: Pick<ClipCoverage, 'states' | 'unseen' | 'leftOut' | 'code' | 'message'>,
): string[] {
  const { states, unseen, leftOut, code, message } = clip
  const reason = reasonText(message, code)
  const lines = unseen.map(({ startS, endS, state, ...range }) => {
    const until = endS === undefined ? 'its end' : formatTime(endS)
    return `${stateWords[state]}: ${formatTime(startS)}–${until} was not looked at${reasonText(range.message, range.code)}`
  })
  if (states.includes('failed')) lines.push(`failed: none of it was looked at${reason}`)
  if (states.includes('unfinished') && unseen.length === 0)
    lines.push(`unfinished: none of it was looked at; "cameo ingest" continues it${reason}`)
  if (states.includes('truncated') && !unseen.some(({ state }) => state === 'truncated'))
    lines.push('truncated: the file is cut off; how much is missing is not known')
  lines.push(...leftOut.map((sentence) => `left out: ${oneLine(sentence)}`))
  if (states.includes('forgotten')) lines.push('forgotten: it was erased, and is not ingested again')
  if (states.includes('face-less')) lines.push('no face was found')
  if (states.includes('unnamed-erased')) lines.push('people without names were erased because of their age')
  if (states.includes('missing')) lines.push('missing: the file is not there any more')
  return lines
}

const reasonText = (message: string | undefined, code: string | undefined) =>
  message === undefined ? '' : `: ${oneLine(message)}${code === undefined ? '' : ` [${code}]`}`

/** The `--json` fields of a clip. */
export function toCoverageJson({
  states,
  durationS,
  lookedAtS,
  notLookedAtS,
  unseen,
  leftOut,
}: ClipCoverage) {
  return {
    states,
    durationS: durationS ?? null,
    lookedAtS,
    notLookedAtS: notLookedAtS ?? null,
    notLookedAt: unseen.map(({ startS, endS, ...range }) => ({ startS, endS: endS ?? null, ...range })),
    leftOut,
  }
}

/** The sentence about an archive that was not fully looked at; undefined if it was. */
export function coverageLine(sum: CoverageSum): string | undefined {
  if (sum.incomplete === 0) return undefined
  const was = sum.incomplete === 1 ? 'was' : 'were'
  const clips = `${sum.incomplete} of ${counted(sum.clips, 'clip')} ${was} not fully looked at`
  const missing = missingOf(sum)
  return `${clips}${missing === '' ? '' : ` (${missing})`}: "cameo coverage" lists what is missing`
}
