import { InvalidArgumentError } from 'commander'

/** Seconds of a clip. */
export interface TimeRange {
  readonly startS: number
  readonly endS: number
}

/** A time as Cameo prints it (1:02:03.5, 2:03.5), or seconds. */
const time = String.raw`(?:(?:\d+:)?\d+:)?\d+(?:\.\d+)?`
const rangePattern = new RegExp(`^\\s*(${time})(?:\\s*[-–]\\s*(${time}))?\\s*$`)

/** Parses "START-END", as Cameo prints time ranges, or a single time; for commander. */
export function parseTimeRange(text: string): TimeRange {
  const [, start, end = start] = rangePattern.exec(text) ?? []
  if (start === undefined || end === undefined)
    throw new InvalidArgumentError('a time range is needed, as 0:12.5-0:14 or 12.5-14 (seconds).')
  const range = { startS: secondsOf(start), endS: secondsOf(end) }
  if (range.startS > range.endS) throw new InvalidArgumentError('the range ends before it begins.')
  return range
}

const secondsOf = (text: string) => text.split(':').reduce((seconds, part) => 60 * seconds + Number(part), 0)
