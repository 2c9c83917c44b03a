import { z } from 'zod'
import { parseColumn, readColumn } from './json-column.js'

/** JSON columns of clips, segments and tracks. The functions named `parse` throw ARCHIVE_DAMAGED, as `parseColumn` does. */

const spansSchema = z.array(z.tuple([z.number(), z.number()]))
const leftOutSchema = z.array(z.string())
const boxSchema = z.tuple([z.number(), z.number(), z.number(), z.number()])

/** The column `gaps` of a segment: [start, end] of each stretch that could not be decoded, in seconds. */
export const parseGaps = (column: string) => parseColumn(spansSchema, column, 'gaps of a segment')

/** The column `spans` of a track: [start, end] of each appearance, in seconds. */
export const parseSpans = (column: string) => parseColumn(spansSchema, column, 'times of a track')

/** As `parseSpans`; undefined if the column is damaged. */
export const readSpans = (column: string) => readColumn(spansSchema, column)

/** The column `left_out` of a clip: sentences about content that is never examined. */
export const parseLeftOut = (column: string | null) =>
  column === null ? [] : parseColumn(leftOutSchema, column, 'what was left out of a clip')

/** The column `box` of a face: [x1, y1, x2, y2], px. */
export const parseBox = (column: string) => parseColumn(boxSchema, column, 'place of a face')
