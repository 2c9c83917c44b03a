import { z } from 'zod'
import { clipIdSchema, list } from './common.js'

export const clipParams = z.object({ clipId: clipIdSchema })

export const trackParams = z.object({
  trackId: z.coerce
    .number()
    .int()
    .min(1)
    .max(2 ** 53 - 1),
})

export const playQuery = z
  .object({
    startS: z.coerce.number().min(0).max(1e7).default(0).describe('Where to begin, in seconds of the clip.'),
    endS: z.coerce.number().min(0).max(1e7).exactOptional(),
  })
  .strict()
  .refine(({ startS, endS }) => endS === undefined || endS > startS, { error: 'endS must be after startS' })

export const playbackSchema = z
  .object({
    direct: z.boolean().describe('Browsers play the file as it is.'),
    url: z.string(),
    mime: z.string(),
    mediaStartS: z.number().describe('The time of the clip at which this media begins.'),
    mediaEndS: z
      .number()
      .optional()
      .describe('The time of the clip at which it ends; absent if it is the whole file.'),
    seekToS: z.number().describe('Where in this media the asked start is.'),
    durationS: z.number().optional().describe('Of the clip.'),
    reason: z.string().optional().describe('Why the file is not played as it is.'),
  })
  .meta({ id: 'Playback' })

export const trackSchema = z
  .object({
    trackId: z.int(),
    clipId: z.string(),
    ranges: list(z.object({ startS: z.number(), endS: z.number() })),
    quality: z.number(),
    personId: z.int().optional(),
    name: z.string().optional(),
    score: z.number().optional().describe('Cosine similarity to the name.'),
    thumbnail: z.string().describe('Address of a JPEG.'),
  })
  .meta({ id: 'Track' })
