import { z } from 'zod'

/** A page of a list. */
export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(500).exactOptional().describe('How many entries at the most.'),
  after: z.string().max(4096).exactOptional().describe('`next` of the page before.'),
})

/** A list in an answer. */
export const list = <Item extends z.ZodType>(item: Item) => z.array(item).readonly()

/** A flag in a query string. */
export const flag = z.enum(['true', 'false']).transform((text) => text === 'true')

export const nextSchema = z
  .string()
  .optional()
  .describe('Give it as `after` to get the next page; absent on the last page.')

/** SHA-256 of the content of a clip, or its first digits. */
export const clipIdSchema = z.string().regex(/^[0-9a-f]{8,64}$/)

export const rangeSchema = z
  .object({
    startS: z.number(),
    endS: z.number(),
    trackId: z.int(),
    score: z.number().optional().describe('Cosine similarity, −1..1.'),
    weak: z.literal(true).optional().describe('The track is below the threshold.'),
    confirmed: z.literal(true).optional().describe('A person confirmed it.'),
  })
  .meta({ id: 'Range', description: 'A stretch of a clip, in seconds.' })

export const boxSchema = list(z.number()).describe('[x1, y1, x2, y2] in pixels of the displayed picture.')

export const faceSchema = z
  .object({ timeS: z.number(), boxXyxyPx: boxSchema, quality: z.number() })
  .meta({ id: 'Face' })

export const unseenSchema = z.object({
  states: list(z.string()),
  lookedAtS: z.number(),
  notLookedAtS: z.number().optional(),
  unseen: list(
    z.object({
      startS: z.number(),
      endS: z.number().optional(),
      state: z.string(),
      code: z.string().optional(),
      message: z.string().optional(),
    }),
  ),
  leftOut: list(z.string()),
  code: z.string().optional(),
  message: z.string().optional(),
})

export const coverageSumSchema = z
  .object({
    clips: z.int(),
    incomplete: z.int(),
    unknownLength: z.int(),
    hours: z.number(),
    lookedAtHours: z.number(),
    notLookedAtHours: z.number(),
    states: z.record(z.string(), z.int()),
  })
  .meta({ id: 'CoverageSum', description: 'How much of the video was looked at.' })

export const damagedSchema = list(
  z.object({
    clipId: z.string().optional(),
    path: z.string().nullish(),
    name: z.string().optional(),
    what: z.string(),
  }),
)

export const thresholdSchema = z
  .object({
    threshold: z.number(),
    reason: z.string(),
    falseAcceptRate: z
      .object({
        rate: z.number(),
        isEstimate: z.boolean(),
        interval: list(z.number()).optional(),
      })
      .optional(),
    expectedFalseMatches: z.number().optional(),
  })
  .meta({ id: 'Threshold', description: 'The score from which a track matches, and the reason for it.' })

/** Describes answers that are files of these types. Nothing of them is checked. */
export const fileAnswer = (description: string, ...types: readonly string[]) => ({
  description,
  content: Object.fromEntries(types.map((type) => [type, { schema: fileSchema }])),
})
const fileSchema = z.unknown().meta({ type: 'string', format: 'binary' })

/** Describes an answer that is a stream of server-sent events. */
export const eventsAnswer = (description: string) => ({
  description,
  content: { 'text/event-stream': { schema: z.unknown() } },
})

/** Addresses of parts of the archive. */
export const thumbnailUrl = (trackId: number): string => `/api/v1/tracks/${trackId}/thumbnail`
