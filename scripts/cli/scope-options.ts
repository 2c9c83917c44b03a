import { InvalidArgumentError, Option } from 'commander'

/** Which clips a command is about, as its options say it. */
export interface ScopeOptions {
  readonly folder?: string
  readonly since?: Date
  readonly until?: Date
}

/** `--folder`, `--since` and `--until`. */
export const scopeOptions = (): Option[] => [
  folderOption(),
  new Option('--since <date>', 'only clips of this date or later').argParser((text) => dateOf(text).first),
  new Option('--until <date>', 'only clips of this date or earlier').argParser((text) => dateOf(text).last),
]

export const folderOption = (): Option =>
  new Option('--folder <folder>', 'only clips below this folder or URL').argParser(folderOf)

/** What the help of a command says of these options. */
export const scopeHelp = `The date of a clip is when its file was last written, of several files with the same content the earliest. If only workers fetched
the clip, it is when the clip came into the archive. A date is YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDTHH:MM in local time;
--until takes all of that year, month, day or minute.`

function folderOf(text: string): string {
  if (text === '') throw new InvalidArgumentError('a folder is needed.')
  return text
}

const datePattern = /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ](\d{2}):(\d{2}))?)?)?$/

/** The first and the last millisecond of a year, a month, a day or a minute, in local time. */
export function dateOf(text: string): { readonly first: Date; readonly last: Date } {
  const match = datePattern.exec(text)
  if (match === null) throw new InvalidArgumentError('a date as 2024, 2024-05, 2024-05-31 or 2024-05-31T18:30 is needed.') // prettier-ignore
  const [year = 0, month, day, hour, minute] = match
    .slice(1)
    .map((digits: string | undefined) => (digits === undefined ? undefined : Number(digits)))
  const first = new Date(year, (month ?? 1) - 1, day ?? 1, hour ?? 0, minute ?? 0)
  first.setFullYear(year)
  const isReal =
    first.getMonth() === (month ?? 1) - 1 &&
    first.getDate() === (day ?? 1) &&
    first.getHours() === (hour ?? 0) &&
    first.getMinutes() === (minute ?? 0)
  if (!isReal) throw new InvalidArgumentError('there is no such date.')
  const next = new Date(first)
  if (month === undefined) next.setFullYear(year + 1)
  else if (day === undefined) next.setMonth(month)
  else if (minute === undefined) next.setDate(day + 1)
  else next.setMinutes(minute + 1)
  return { first, last: new Date(next.getTime() - 1) }
}
