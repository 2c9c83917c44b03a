import { CameoError } from '../../../pipeline/common/errors.js'
import { splitColumns } from './list-columns.js'
import { textLines } from './text-lines.js'

/** A line of a list, split into its columns. */
export interface ListLine {
  /** From 1. */
  readonly number: number
  readonly columns: readonly string[]
}

/** Like `listLines`, all at once. */
export function readListLines(path: string): ListLine[] {
  return [...listLines(path)]
}

/**
 * Reads the lines of a text list (see `textLines`). Columns are separated by commas or semicolons, or by blanks if a
 * line has neither. Quotes around a column are removed. Empty lines are skipped.
 * @throws LIST_INVALID if there is no such file or it is not text
 */
export function* listLines(path: string): Generator<ListLine> {
  let number = 0
  for (const text of textLines(path, 'LIST_INVALID')) {
    number++
    const columns = splitColumns(text, text.includes(',') ? ',' : text.includes(';') ? ';' : 'blanks')
    if (columns.length > 0) yield { number, columns }
  }
}

/** A LIST_INVALID error with the line number. */
export function badLine(path: string, line: ListLine, expected: string): CameoError {
  return new CameoError(
    'LIST_INVALID',
    `line ${line.number} of ${path} is "${line.columns.join(' ').slice(0, 80)}", expected ${expected}`,
  )
}

/** A whole number from 0. Undefined for any other text. */
export function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

/** True for the label 1, false for 0, undefined for any other text. */
export function isSameLabel(text: string | undefined): boolean | undefined {
  return text === '1' ? true : text === '0' ? false : undefined
}
