import { z } from 'zod'
import type { FailedPath } from '../../../index/coverage/read-status.js'
import { coverageStates } from '../../../index/coverage/clip-coverage.js'
import { coverageSumSchema, list, nextSchema, pageQuery, unseenSchema } from './common.js'

export const statusSchema = z
  .object({
    clips: z.int().describe('Clips that were looked at to the end, or as far as possible.'),
    tracks: z.int(),
    partial: z.int().describe('Clips with a part that could not be looked at.'),
    failed: z.int().describe('Files that could not be read.'),
    missing: z.int().describe('Clips whose files are gone.'),
    coverage: coverageSumSchema,
  })
  .meta({ id: 'Status' })

export const coverageQuery = pageQuery.extend({
  folder: z.string().min(1).max(4096).exactOptional().describe('Only what is below this folder.'),
  state: z.enum(coverageStates).exactOptional().describe('Default: every state except `complete`.'),
})

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
    ),
    next: nextSchema,
  })
  .meta({ id: 'Coverage' })

export const failuresSchema = z
  .object({
    failures: list(
      z.object({
        path: z.string(),
        code: z.string(),
        message: z.string(),
        missing: z.literal(true).optional().describe('The file is gone.'),
      }),
    ),
    next: nextSchema,
  })
  .meta({ id: 'Failures' })

export const failureJson = ({ path, code, message, missing }: FailedPath) => ({
  ...{ path, code, message },
  ...(missing === undefined ? {} : { missing }),
})
