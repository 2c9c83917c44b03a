import { z } from 'zod'

/** Columns of clips, segments and tracks that hold JSON. Each function throws where the text is not what Cameo writes. */

const spansSchema = z.array(z.tuple([z.number(), z.number()]))
const leftOutSchema = z.array(z.string())
const boxSchema = z.tuple([z.number(), z.number(), z.number(), z.number()])

/** The column `gaps` of a segment: [start, end] of each stretch that could not be decoded, s. */
export const parseGaps = (column: string) => spansSchema.parse(JSON.parse(column))

/** The column `spans` of a track: [start, end] of each appearance, s. */
export const parseSpans = (column: string) => spansSchema.parse(JSON.parse(column))

/** The column `left_out` of a clip: sentences that say what of it is not looked at. */
export const parseLeftOut = (column: string | null) =>
  column === null ? [] : leftOutSchema.parse(JSON.parse(column))

/** The column `box` of a face: [x1, y1, x2, y2], px. */
export const parseBox = (column: string) => boxSchema.parse(JSON.parse(column))
