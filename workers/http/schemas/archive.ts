import { z } from 'zod'
import { coverageSumSchema, list, unseenSchema } from './common.js'

export const statusSchema = z
  .object({
    clips: z.int(),
    tracks: z.int(),
    partial: z.int().describe('Clips with a failed part.'),
    failed: z.int().describe('Files that could not be read.'),
    coverage: coverageSumSchema,
  })
  .meta({ id: 'Status' })

export const coverageSchema = z
  .object({
    sum: coverageSumSchema,
    folders: list(coverageSumSchema.extend({ folder: z.string() })),
    clips: list(
      unseenSchema.extend({
        clipId: z.string().optional(),
        paths: list(z.string()),
        durationS: z.number().optional(),
      }),
    ).describe('Clips that were not looked at completely.'),
  })
  .meta({ id: 'Coverage' })

export const failuresSchema = z
  .object({
    failures: list(
      z.object({
        path: z.string(),
        code: z.string(),
        message: z.string(),
        missing: z.literal(true).optional(),
      }),
    ),
  })
  .meta({ id: 'Failures' })
