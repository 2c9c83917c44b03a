import { readFileSync } from 'node:fs'
import { parse } from 'csv-parse/sync'
import { z } from 'zod'
import { CameoError, messageOf } from '../../../pipeline/common/errors.js'
import type { SpanS, Appearances } from '../data/appearances.js'

const seconds = z.coerce.number().nonnegative()
const rowSchema = z
  .object({
    film: z.string().min(1),
    person: z.string().min(1),
    start_s: seconds,
    end_s: seconds,
    kind: z.enum(['seen', 'unsure', '']).optional(),
  })
  .refine((row) => row.end_s > row.start_s, 'end_s must be greater than start_s')

/**
 * Reads a CSV of appearances: film, person, start_s, end_s and optionally kind. The kind is `seen`, or `unsure` for
 * times in which no answer counts for any person.
 * @throws GROUND_TRUTH_INVALID with file and line
 */
export function readAppearances(file: string): Appearances {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new CameoError('GROUND_TRUTH_INVALID', `the file ${file} cannot be read: ${messageOf(cause)}`, {
      cause,
    })
  }
  return parseAppearances(text, file)
}

export function parseAppearances(text: string, file: string): Appearances {
  const films = new Map<string, Map<string, SpanS[]>>()
  const unsure = new Map<string, SpanS[]>()
  const people = new Set<string>()
  for (const [index, value] of rowsOf(text, file).entries()) {
    const parsed = rowSchema.safeParse(value)
    if (!parsed.success)
      throw new CameoError(
        'GROUND_TRUTH_INVALID',
        `${file}, row ${index + 2}: ${z.prettifyError(parsed.error)}; a row is film,person,start_s,end_s[,kind]`,
      )
    const { film, person, start_s: startS, end_s: endS, kind } = parsed.data
    const known = films.get(film) ?? new Map<string, SpanS[]>()
    films.set(film, known)
    if (kind === 'unsure') {
      unsure.set(film, [...(unsure.get(film) ?? []), { startS, endS }])
      continue
    }
    known.set(person, [...(known.get(person) ?? []), { startS, endS }])
    people.add(person)
  }
  if (people.size === 0)
    throw new CameoError(
      'GROUND_TRUTH_INVALID',
      `${file} names no person: a row is film,person,start_s,end_s[,kind]`,
    )
  return { films, unsure, people }
}

function rowsOf(text: string, file: string): unknown[] {
  try {
    return parse(text, { bom: true, columns: true, skip_empty_lines: true, trim: true })
  } catch (cause) {
    throw new CameoError('GROUND_TRUTH_INVALID', `${file} is not a CSV file: ${messageOf(cause)}`, { cause })
  }
}
