import { readFileSync } from 'node:fs'
import { CameoError, messageOf } from '../../../pipeline/errors.js'

/** A line of a list, split into its columns. */
export interface ListLine {
  /** From 1. */
  readonly number: number
  readonly columns: readonly string[]
}

/**
 * The lines of a text list: columns by commas, or by blanks where a line has no comma. Windows line ends and a missing
 * last newline are fine, empty lines are passed over. @throws LIST_INVALID where there is no such file
 */
export function readListLines(path: string): ListLine[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new CameoError('LIST_INVALID', `the list ${path} cannot be read (${messageOf(error)})`, {
      cause: error,
    })
  }
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .map((line, index) => ({ number: index + 1, columns: splitColumns(line) }))
    .filter(({ columns }) => columns.length > 0)
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
