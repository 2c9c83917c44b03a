import { z } from 'zod'
import type { ShownName } from '../../../index/identities/show-name.js'
import { receiptSummarySchema } from './audit.js'
import { clipIdSchema, damagedSchema, list, nextSchema, thresholdSchema } from './common.js'

export const nameParams = z.object({ name: z.string().min(1).max(500) })
export const faceParams = nameParams.extend({ number: z.coerce.number().int().min(1).max(1_000_000) })

const presence = { clips: z.int(), tracks: z.int(), seenS: z.number() }

export const nameListSchema = z
  .object({
    people: list(
      z.object({
        name: z.string(),
        faces: z.int().describe('How many faces the name rests on.'),
        ...presence,
      }),
    ),
    unnamed: z.object(presence).describe('All faces without a name.'),
    next: nextSchema,
    threshold: thresholdSchema,
    damaged: damagedSchema,
  })
  .meta({ id: 'NameList' })

const seconds = z.object({ startS: z.number(), endS: z.number() })

export const shownNameSchema = z
  .object({
    name: z.string(),
    aliases: list(z.string()),
    note: z.string().optional(),
    people: list(z.int()).describe('The people into whom tracks were grouped who have this name.'),
    faces: list(
      z.object({
        number: z.int(),
        source: z.string(),
        quality: z.number(),
        similarity: z.number().optional().describe('Mean cosine similarity to the faces of the other files.'),
        isOdd: z.boolean().describe('It may show somebody else.'),
        picture: z.string().optional().describe('Address of a JPEG.'),
      }),
    ),
    otherFaces: z.object({ count: z.int(), withPicture: z.int() }),
    needsPhotos: z.boolean(),
    corrections: list(
      z.object({
        clipId: z.string(),
        path: z.string().optional(),
        verdict: z.enum(['confirmed', 'rejected']),
        at: z.string(),
        ranges: list(seconds),
        isFound: z.boolean(),
      }),
    ),
    threshold: z.number(),
    damaged: damagedSchema,
  })
  .meta({ id: 'Name' })

export const shownNameJson = ({ faces, ...rest }: ShownName) => ({
  ...rest,
  faces: faces.map(({ pictureJpeg, ...face }) => ({
    ...face,
    ...(pictureJpeg === undefined
      ? {}
      : { picture: `/api/v1/names/${encodeURIComponent(rest.name)}/faces/${face.number}/picture` }),
  })),
})

export const nameChange = z
  .object({
    note: z.string().max(4096).exactOptional().describe('An empty one removes it.'),
    aliases: z.array(z.string().min(1).max(500)).max(100).exactOptional(),
  })
  .strict()
  .meta({ id: 'NameChange' })

export const correctionBody = z
  .object({
    clipId: clipIdSchema,
    verdict: z.enum(['confirmed', 'rejected']),
    range: seconds.exactOptional().describe('Only what is seen within these seconds.'),
    undo: z.boolean().exactOptional().describe('Take such corrections back.'),
  })
  .strict()
  .meta({ id: 'Correction' })

export const correctionAnswer = z
  .object({
    name: z.string(),
    clipId: z.string(),
    path: z.string().optional(),
    verdict: z.enum(['confirmed', 'rejected']),
    undone: z.boolean(),
    tracks: list(z.object({ trackId: z.int().optional(), ranges: list(seconds) })),
  })
  .meta({ id: 'CorrectionAnswer' })

/** What a name is given: a track of the archive. */
export const newFaceBody = z
  .object({ trackId: z.int().min(1), force: z.boolean().exactOptional() })
  .strict()
  .meta({ id: 'NewFace' })

/** What a name is given: somebody in an upload. */
export const uploadedFaceBody = z
  .object({
    uploadId: z.uuid(),
    face: z
      .int()
      .min(1)
      .exactOptional()
      .describe('Number of the person in the upload. Default: the only or main one.'),
    force: z.boolean().exactOptional().describe('Even if the name has faces of somebody else.'),
  })
  .strict()
  .meta({ id: 'UploadedFace' })

export const identitySchema = z.object({ name: z.string(), faces: z.int() }).meta({ id: 'NameFaces' })

export const forgottenSchema = z
  .object({
    forgotten: z.enum(['clip', 'name', 'face']),
    clipId: z.string().optional(),
    paths: list(z.string()).optional(),
    names: list(z.string()).optional().describe('Names that lost faces.'),
    name: z.string().optional(),
    face: z.int().optional(),
    left: z.int().optional().describe('How many faces the name still has.'),
    receipt: receiptSummarySchema.optional().describe('The signed proof of the erasure.'),
    pending: z
      .string()
      .optional()
      .describe('Why bytes of what was erased are still in a file; no search finds it.'),
  })
  .meta({ id: 'Forgotten' })
