/** Texts of times, dates and figures. */

/** A time in a clip: 0:07, 12:30, 1:02:03. @param timeS seconds */
export function clockOf(timeS: number): string {
  const whole = Math.max(0, Math.floor(timeS))
  const [hours, minutes, seconds] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const two = (value: number) => `${value}`.padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`
}

/** A stretch of a clip: 0:07–0:12. Below a minute with tenths where both ends fall on one second. */
export const stretchOf = (startS: number, endS: number): string => {
  const [start, end] = [clockOf(startS), clockOf(endS)]
  return start === end ? `${start}.${tenthOf(startS)}–${end}.${tenthOf(endS)}` : `${start}–${end}`
}

const tenthOf = (timeS: number) => Math.floor((timeS % 1) * 10)

/** A length: 7 s, 12 min 30 s, 3 h 20 min. @param lengthS seconds */
export function lengthOf(lengthS: number): string {
  const whole = Math.round(lengthS)
  if (whole < 60) return lengthS > 0 && lengthS < 10 ? `${trimmed(lengthS, 1)} s` : `${whole} s`
  const [hours, minutes, seconds] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  if (hours === 0) return seconds === 0 ? `${minutes} min` : `${minutes} min ${seconds} s`
  return minutes === 0 ? `${hours} h` : `${hours} h ${minutes} min`
}

/** Hours: 0.4 h, 12 h, 1,200 h. */
export const hoursOf = (hours: number): string =>
  hours > 0 && hours < 0.1 ? lengthOf(hours * 3600) : `${numberOf(hours, hours < 10 ? 1 : 0)} h`

/** A similarity or a quality, −1..1: .71 */
export const scoreOf = (score: number): string => {
  const text = score.toFixed(2)
  if (text === '1.00' || text === '-1.00') return text.replace('-', '−')
  return text.replace(/^(-?)0/, '$1').replace('-', '−')
}

/** A probability, 0..1, in whole per cent. Never 0 % or 100 %: nothing is that sure. */
export function percentOf(share: number): string {
  const percent = share * 100
  if (percent > 99 && percent < 100) return '>99 %'
  if (percent > 0 && percent < 1) return '<1 %'
  return `${Math.round(percent)} %`
}

/** 1,234.5 */
export const numberOf = (value: number, digits = 0): string =>
  value.toLocaleString('en-GB', { maximumFractionDigits: digits })

/** "1 clip", "3 clips" */
export const countOf = (count: number, one: string, many = `${one}s`): string =>
  `${numberOf(count)} ${count === 1 ? one : many}`

/** A file's size: 9 B, 1.2 MB. */
export function bytesOf(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const at = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3))
  return `${trimmed(bytes / 1000 ** at, at === 0 ? 0 : 1)} ${units[at] ?? ''}`
}

const trimmed = (value: number, digits: number) => value.toFixed(digits).replace(/\.0+$/, '')

/** A day: 1 May 2024. @param iso ISO 8601 */
export const dayOf = (iso: string): string =>
  dateText(iso, { day: 'numeric', month: 'short', year: 'numeric' })

/** A day and a time: 1 May 2024, 14:03. */
export const momentOf = (iso: string): string =>
  dateText(iso, { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' })

function dateText(iso: string, options: Intl.DateTimeFormatOptions): string {
  const date = new Date(iso)
  return Number.isNaN(date.getTime()) ? iso : date.toLocaleString('en-GB', options)
}

/** The last part of a path or URL, and the rest before it. */
export function pathParts(path: string): { readonly folder: string; readonly file: string } {
  const at = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'))
  return { folder: path.slice(0, at + 1), file: path.slice(at + 1) || path }
}

/** The start of a day of a date field, as an instant. @param day 2024-05-01 @param isEnd the last moment of the day instead */
export function instantOfDay(day: string, isEnd = false): string | undefined {
  const date = new Date(`${day}T${isEnd ? '23:59:59.999' : '00:00:00'}`)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}
