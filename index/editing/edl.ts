import { basename, extname } from 'node:path'
import { CameoError } from '../../pipeline/common/errors.js'
import { oneLine } from '../../pipeline/common/visible-text.js'
import type { EditHit } from './hits.js'
import { framesOf, type EditSource } from './sources.js'
import { formatTimecode, parseTimecode, rateText, type TimecodeRate } from './timecode.js'

/** CMX 3600 numbers its events with three digits. */
const mostEvents = 999
/** A reel has eight characters. */
const reelLength = 8

/**
 * An edit decision list, CMX 3600: the hits one after the other. Times are timecodes of each clip and of the cut.
 * @param title one line
 * @throws USAGE where the clips have several frame rates, or there are more than 999 hits
 */
export function edlOf(
  hits: readonly EditHit[],
  sources: ReadonlyMap<string, EditSource>,
  title: string,
): string {
  if (hits.length > mostEvents)
    throw new CameoError('USAGE', `an EDL holds ${mostEvents} events, and there are ${hits.length} hits: ask for fewer, or for an OTIO timeline`) // prettier-ignore
  const events = hits.flatMap((hit) => {
    const source = sources.get(hit.clipId)
    return source === undefined ? [] : [{ hit, source }]
  })
  const rate = oneRate(events.map(({ source }) => source.rate))
  const isDrop = events[0]?.source.isDrop ?? false
  const reels = reelsOf(hits)
  const lines = [`TITLE: ${plain(title).slice(0, 70)}`, modeText(isDrop), '']
  let record = rate === undefined ? 0 : recordStart(rate, isDrop)
  let mode = isDrop
  for (const [index, { hit, source }] of events.entries()) {
    if (source.isDrop !== mode) lines.push(modeText((mode = source.isDrop)))
    const { first, end } = framesOf(hit, source.rate)
    const times = [
      ...[first, end].map((frame) => formatTimecode(source.startFrame + frame, source.rate, source.isDrop)),
      ...[record, record + end - first].map((frame) => formatTimecode(frame, source.rate, isDrop)),
    ]
    const reel = (reels.get(hit.clipId) ?? 'AX').padEnd(reelLength)
    lines.push(`${String(index + 1).padStart(3, '0')}  ${reel} V     C        ${times.join(' ')}`)
    lines.push(...commentsOf(hit, source))
    record += end - first
  }
  return `${lines.join('\n')}\n`
}

/** By custom the first hour of a tape is for colour bars: programmes begin at 01:00:00:00. */
const recordStart = (rate: TimecodeRate, isDrop: boolean) =>
  parseTimecode(`01:00:00${isDrop ? ';' : ':'}00`, rate)?.frames ?? 0

const modeText = (isDrop: boolean) => `FCM: ${isDrop ? 'DROP FRAME' : 'NON-DROP FRAME'}`

function commentsOf({ path, person, score, number }: EditHit, { isAssumed }: EditSource): string[] {
  const likeness = score === undefined ? '' : `, score ${score.toFixed(3)}`
  return [
    `* FROM CLIP NAME: ${plain(basename(path))}`,
    `* SOURCE FILE: ${plain(path)}`,
    `* COMMENT: hit ${number}: ${plain(person)}${likeness}`,
    ...(isAssumed ? ['* COMMENT: the file was not read: its frame rate and timecode are assumed'] : []),
  ]
}

const plain = (text: string) => oneLine(text).replaceAll('\t', ' ')

/** @throws USAGE where there are several */
function oneRate(rates: readonly TimecodeRate[]): TimecodeRate | undefined {
  const counts = new Map<string, number>()
  for (const rate of rates) counts.set(rateText(rate), (counts.get(rateText(rate)) ?? 0) + 1)
  if (counts.size <= 1) return rates[0]
  const list = [...counts].map(([text, count]) => `${text} (${count})`).join(', ')
  throw new CameoError(
    'USAGE',
    `an EDL has one frame rate, and the hits have several: ${list}; choose one, or ask for an OTIO timeline`,
    { details: { remedy: 'choose-rate' } },
  )
}

/** Names of reels, one for each clip: the letters and digits of its file's name, numbered where two would be the same. */
function reelsOf(hits: readonly EditHit[]): ReadonlyMap<string, string> {
  const reels = new Map<string, string>()
  const taken = new Set<string>()
  for (const { clipId, path } of hits) {
    if (reels.has(clipId)) continue
    const stem = basename(path, extname(path)).toUpperCase().replaceAll(/[^A-Z0-9]/g, '') || 'CLIP' // prettier-ignore
    let reel = stem.slice(0, reelLength)
    for (let copy = 2; taken.has(reel); copy++)
      reel = `${stem.slice(0, reelLength - String(copy).length)}${copy}`
    taken.add(reel)
    reels.set(clipId, reel)
  }
  return reels
}
