import { oneLine } from '../../pipeline/common/visible-text.js'
import type { EditHit } from './hits.js'

/** A line of text, and when it is shown, s. */
export interface Cue {
  readonly startS: number
  readonly endS: number
  readonly text: string
}

/** A person who was seen in one frame is shown for so long, s. */
const shortestS = 0.25

const lengthOf = ({ startS, endS }: Pick<EditHit, 'startS' | 'endS'>) => Math.max(shortestS, endS - startS)

/** The names at the times of the clip. */
export const cuesOfClip = (hits: readonly EditHit[]): Cue[] =>
  hits.map((hit) => ({ startS: hit.startS, endS: hit.startS + lengthOf(hit), text: hit.person }))

/** The names at the times of a cut, in which the hits follow each other. */
export function cuesOfCut(hits: readonly EditHit[]): Cue[] {
  let atS = 0
  return hits.map((hit) => {
    const startS = atS
    atS += lengthOf(hit)
    return { startS, endS: atS, text: hit.person }
  })
}

/** WebVTT. */
export const vttOf = (cues: readonly Cue[]) =>
  `WEBVTT\n${cues.map(({ startS, endS, text }) => `\n${time(startS, '.')} --> ${time(endS, '.')}\n${escapedText(text)}\n`).join('')}`

/** SubRip. */
export const srtOf = (cues: readonly Cue[]) =>
  cues
    .map(
      ({ startS, endS, text }, i) =>
        `${i + 1}\n${time(startS, ',')} --> ${time(endS, ',')}\n${oneLine(text)}\n`,
    ) // prettier-ignore
    .join('\n')

const escapedText = (text: string) =>
  oneLine(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** `00:01:02.345` */
export function time(seconds: number, separator: string): string {
  const ms = Math.round(seconds * 1000)
  const [hours, minutes, rest] = [ms / 3_600_000, (ms / 60_000) % 60, (ms / 1000) % 60].map((part) =>
    String(Math.floor(part)).padStart(2, '0'),
  )
  return `${hours}:${minutes}:${rest}${separator}${String(ms % 1000).padStart(3, '0')}`
}
