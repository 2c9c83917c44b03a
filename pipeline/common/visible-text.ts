/**
 * What a terminal or a page obeys without showing it, or shows as nothing: controls (C0, C1), format characters (bidirectional
 * controls, zero-width ones, byte-order marks, tags), line and paragraph separators, halves of a surrogate pair. Unicode 15,
 * general categories Cc, Cf, Zl, Zp and Cs.
 */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u

/** Scripts in which a joiner or non-joiner between two letters is spelling (UAX #31, 2.3). */
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

/** Joiners that belong to what is seen: within an emoji such as that of a family, and between such letters. */
const joiner =
  '(?<=\\p{Extended_Pictographic}[\\ufe0f\\p{Emoji_Modifier}]?)\\u200d(?=\\p{Extended_Pictographic})' +
  `|(?<=[${joining}])[\\u200c\\u200d](?=[${joining}])`

const joinerOrUnseen = new RegExp(`(${joiner})|${unseen.source}`, 'gu')

/** The text with `show` of every character that is not seen. */
function replaceUnseen(text: string, show: (character: string) => string): string {
  return text.replace(joinerOrUnseen, (character, joins: string | undefined) => joins ?? show(character))
}

/** `\x1b`, `\u202e`, `\u{e0041}`: by the character's number, as JavaScript writes it. */
function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0
  const digits = code.toString(16)
  if (code <= 0xff) return `\\x${digits.padStart(2, '0')}`
  return code <= 0xffff ? `\\u${digits.padStart(4, '0')}` : `\\u{${digits}}`
}

/** A name, a path or a message on one line of a terminal: what would not be seen is escaped, line ends too. */
export function oneLine(text: string): string {
  return replaceUnseen(text, escaped)
}

/** Text of several lines for a terminal: all but line ends and tabs is escaped as in `oneLine`. */
export function visibleLines(text: string): string {
  return replaceUnseen(text, (character) => (isLayout(character) ? character : escaped(character)))
}

/** The value as JSON on one line. */
export function visibleJson(value: unknown): string {
  return unseenAsJson(JSON.stringify(value))
}

/** A line of JSON with the same data: characters that are not seen stand in it as JSON's own escapes. */
export function unseenAsJson(line: string): string {
  return replaceUnseen(line, (character) => (character === '\n' ? character : jsonEscape(character)))
}

const jsonEscape = (character: string) =>
  character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')

/** Text of a page, before its markup is escaped: what would not be seen becomes U+FFFD, but for line ends and tabs. */
export function visibleInPage(text: string): string {
  return replaceUnseen(text, (character) => (isLayout(character) ? character : '\uFFFD'))
}

const isLayout = (character: string) => character === '\n' || character === '\t'
