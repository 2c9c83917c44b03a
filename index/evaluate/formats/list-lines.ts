import { closeSync, openSync, readSync } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'
import { CameoError, messageOf } from '../../../pipeline/errors.js'

/** A line of a list, split into its columns. */
export interface ListLine {
  /** From 1. */
  readonly number: number
  readonly columns: readonly string[]
}

/** As `listLines`, all at once. */
export function readListLines(path: string): ListLine[] {
  return [...listLines(path)]
}

/** Read from the file at once. */
const chunkBytes = 1 << 20

/**
 * The lines of a text list: columns by commas, or by blanks where a line has no comma. Windows line ends and a missing
 * last newline are fine, empty lines are passed over. One chunk in memory: IJB-C's pairs have 15 million lines.
 * @throws LIST_INVALID where there is no such file
 */
export function* listLines(path: string): Generator<ListLine> {
  let number = 0
  for (const text of textLines(path)) {
    number++
    const columns = splitColumns(number === 1 ? text.replace(/^\uFEFF/, '') : text)
    if (columns.length > 0) yield { number, columns }
  }
}

function* textLines(path: string): Generator<string> {
  let file: number | undefined
  try {
    file = openSync(path, 'r')
    const decoder = new StringDecoder('utf8')
    const chunk = Buffer.alloc(chunkBytes)
    let rest = ''
    for (let got = readSync(file, chunk); got > 0; got = readSync(file, chunk)) {
      const lines = (rest + decoder.write(chunk.subarray(0, got))).split('\n')
      rest = lines.pop() ?? ''
      yield* lines
    }
    if (rest !== '') yield rest
  } catch (error) {
    throw new CameoError('LIST_INVALID', `the list ${path} cannot be read (${messageOf(error)})`, {
      cause: error,
    })
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

function splitColumns(line: string): string[] {
  const trimmed = line.trim()
  if (trimmed === '') return []
  return trimmed.includes(',') ? trimmed.split(',').map((column) => column.trim()) : trimmed.split(/\s+/)
}

/** LIST_INVALID that says where. */
export function badLine(path: string, line: ListLine, expected: string): CameoError {
  return new CameoError(
    'LIST_INVALID',
    `line ${line.number} of ${path} is "${line.columns.join(' ').slice(0, 80)}", expected ${expected}`,
  )
}

/** A whole number from 0 on; undefined where it is none. */
export function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

/** Of a label 1 or 0. */
export function isSameLabel(text: string | undefined): boolean | undefined {
  return text === '1' ? true : text === '0' ? false : undefined
}
