/**
 * Characters that a terminal or a page obeys without showing them, or shows as nothing: controls (C0, C1), format
 * characters (bidirectional controls, zero-width characters, byte-order marks, tags), line and paragraph separators,
 * unpaired surrogates. Unicode 15, general categories Cc, Cf, Zl, Zp and Cs.
 */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u

/** Scripts in which a joiner or non-joiner between two letters belongs to the spelling (UAX #31, 2.3). */
const joining = [
  'Arab',
  'Beng',
  'Deva',
  'Gujr',
  'Guru',
  'Knda',
  'Mlym',
  'Mong',
  'Orya',
  'Sinh',
  'Taml',
  'Telu',
]
  .map((script) => `\\p{Script=${script}}`)
  .join('')

/**
 * Joiners that belong to the visible text: within an emoji (a family, for example) and between letters of these
 * scripts.
 */
const joiner =
  '(?<=\\p{Extended_Pictographic}[\\ufe0f\\p{Emoji_Modifier}]?)\\u200d(?=\\p{Extended_Pictographic})' +
  `|(?<=[${joining}])[\\u200c\\u200d](?=[${joining}])`

const joinerOrUnseen = new RegExp(`(${joiner})|${unseen.source}`, 'gu')

/** The text, with every invisible character replaced by `show` of it. */
function replaceUnseen(text: string, show: (character: string) => string): string {
  return text.replace(joinerOrUnseen, (character, joins: string | undefined) => joins ?? show(character))
}

/** `\x1b`, `\u202e`, `\u{e0041}`: the character's code point, as JavaScript writes it. */
function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0
  const digits = code.toString(16)
  if (code <= 0xff) return `\\x${digits.padStart(2, '0')}`
  return code <= 0xffff ? `\\u${digits.padStart(4, '0')}` : `\\u{${digits}}`
}

/** A name, a path or a message on one line of a terminal: invisible characters and line breaks are escaped. */
export function oneLine(text: string): string {
  return replaceUnseen(text, escaped)
}

/** Text of several lines for a terminal: invisible characters are escaped, except line breaks and tabs. */
export function visibleLines(text: string): string {
  return replaceUnseen(text, (character) => (isLayout(character) ? character : escaped(character)))
}

/** The value as JSON on one line. */
export function visibleJson(value: unknown): string {
  return unseenAsJson(JSON.stringify(value))
}

/** A line of JSON with the same data: invisible characters become JSON escapes. */
export function unseenAsJson(line: string): string {
  return replaceUnseen(line, (character) => (character === '\n' ? character : jsonEscape(character)))
}

const jsonEscape = (character: string) =>
  character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')

/** Text for a page, before its markup is escaped: invisible characters become U+FFFD, except line breaks and tabs. */
export function visibleInPage(text: string): string {
  return replaceUnseen(text, (character) => (isLayout(character) ? character : '\uFFFD'))
}

const isLayout = (character: string) => character === '\n' || character === '\t'
