import type { z } from 'zod'
import { CameoError } from '../../pipeline/common/errors.js'

/**
 * Reads a column that holds JSON.
 * @param what the column, for people
 * @throws ARCHIVE_DAMAGED if the text does not have the form of the schema: Cameo itself wrote it
 */
export function parseColumn<Value>(schema: z.ZodType<Value>, text: string, what: string): Value {
  const value = readColumn(schema, text)
  if (value === undefined)
    throw new CameoError(
      'ARCHIVE_DAMAGED',
      `a row of the archive is damaged (${what}): repair the archive, or restore it from a backup`,
    )
  return value
}

/** As `parseColumn`, but undefined if the text does not have the form of the schema. */
export function readColumn<Value>(schema: z.ZodType<Value>, text: string): Value | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
