import { CameoError } from '../../../pipeline/common/errors.js'
import { splitColumns } from './list-columns.js'
import { textLines } from './text-lines.js'

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

/**
 * The lines of a text list (see `textLines`): columns by commas or semicolons, or by blanks where a line has neither. Quotes
 * around a column go, empty lines are passed over.
 * @throws LIST_INVALID where there is no such file, or it is no text
 */
export function* listLines(path: string): Generator<ListLine> {
  let number = 0
  for (const text of textLines(path, 'LIST_INVALID')) {
    number++
    const columns = splitColumns(text, text.includes(',') ? ',' : text.includes(';') ? ';' : 'blanks')
    if (columns.length > 0) yield { number, columns }
  }
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
