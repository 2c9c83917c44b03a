import { z } from 'zod'
import type { Upload } from '../uploads/upload-desk.js'
import { candidateSchema } from './search.js'
import { list } from './common.js'

export const uploadQuery = z
  .object({
    as: z
      .enum(['person', 'list'])
      .default('person')
      .describe('`list`: a text with labels for an evaluation, in place of a photo or clip.'),
  })
  .strict()

export const uploadParams = z.object({ uploadId: z.uuid() })

export const uploadSchema = z
  .object({
    uploadId: z.string(),
    kind: z.enum(['image', 'clip', 'list']),
    widthPx: z.int().optional().describe('Of the displayed picture. Boxes refer to it.'),
    heightPx: z.int().optional(),
    people: list(
      candidateSchema.extend({
        isMain: z
          .boolean()
          .describe('The photo or clip is plainly of this person. True for one at the most.'),
        thumbnail: z.string().describe('Address of a JPEG.'),
      }),
    ).describe('Most prominent first; of a crowd only the first 50.'),
    notices: list(z.string()),
    expiresAt: z.string().describe('Until then it can be searched with.'),
  })
  .meta({ id: 'Upload' })

export const uploadJson = ({ uploadId, kind, looked, expiresAtMs }: Upload) => ({
  ...{ uploadId, kind },
  ...(looked === undefined ? {} : { widthPx: looked.widthPx, heightPx: looked.heightPx }),
  people: (looked?.people ?? []).map(({ number, boxXyxyPx, quality, ranges, isMain }) => ({
    ...{ number, boxXyxyPx, quality, isMain },
    ...(ranges === undefined ? {} : { ranges }),
    thumbnail: `/api/v1/uploads/${uploadId}/people/${number}/thumbnail`,
  })),
  notices: looked?.notices ?? [],
  expiresAt: new Date(expiresAtMs).toISOString(),
})
