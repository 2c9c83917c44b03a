/** A part of a JSON value: a text, or something with parts of its own. */
export interface Fact {
  readonly label: string
  readonly text?: string
  readonly inner?: unknown
}

const mostItems = 100

/** The parts of any JSON value. Labels are its keys, in words. */
export function factsOf(value: unknown): readonly Fact[] {
  if (Array.isArray(value)) return value.slice(0, mostItems).map((item, i) => factOf(`${i + 1}`, item))
  if (typeof value !== 'object' || value === null) return [factOf('', value)]
  return Object.entries(value).flatMap(([key, own]) => (own === undefined ? [] : [factOf(wordsOf(key), own)]))
}

function factOf(label: string, value: unknown): Fact {
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object' || item === null))
    return { label, text: value.map(textOf).join(', ') }
  return typeof value === 'object' && value !== null
    ? { label, inner: value }
    : { label, text: textOf(value) }
}

function textOf(value: unknown): string {
  if (typeof value === 'number')
    return Number.isInteger(value) ? value.toLocaleString('en-GB') : `${Number(value.toPrecision(4))}`
  if (value === null) return '–'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** `notLookedAtHours` becomes "not looked at hours". */
const wordsOf = (key: string): string =>
  key.replace(/([a-z0-9])([A-Z])/g, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`)
