import { z } from 'zod'

/** JSON columns of clips, segments and tracks. Each function throws if the text does not have the expected form. */

const spansSchema = z.array(z.tuple([z.number(), z.number()]))
const leftOutSchema = z.array(z.string())
const boxSchema = z.tuple([z.number(), z.number(), z.number(), z.number()])

/** The column `gaps` of a segment: [start, end] of each stretch that could not be decoded, in seconds. */
export const parseGaps = (column: string) => spansSchema.parse(JSON.parse(column))

/** The column `spans` of a track: [start, end] of each appearance, in seconds. */
export const parseSpans = (column: string) => spansSchema.parse(JSON.parse(column))

/** The column `left_out` of a clip: sentences about content that is never examined. */
export const parseLeftOut = (column: string | null) =>
  column === null ? [] : leftOutSchema.parse(JSON.parse(column))

/** The column `box` of a face: [x1, y1, x2, y2], px. */
export const parseBox = (column: string) => boxSchema.parse(JSON.parse(column))
