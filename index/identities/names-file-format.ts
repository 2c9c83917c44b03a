import { z } from 'zod'
import { facePicturePx, maxFacePictureBytes } from '../../pipeline/align/face-picture.js'
import { maxDimension, maxFeatures } from '../../pipeline/common/limits.js'
import { maxAliases, maxNoteLength } from './describe-name.js'
import { trackPlaceSchema } from './track-place.js'

/**
 * A file of names: one JSON object per line. The first line is the header, the last one says how many lines there are
 * and the SHA-256 of all before it. In between, each name is followed by its faces and corrections. Vectors and pictures
 * are base64. docs/names-file.md describes it for others.
 */
export const namesFileVersion = 1

/** Bytes of a line at most. The longest holds a picture, and embeddings by every embedder. */
export const maxLineBytes = 8 * 1024 * 1024

const base64 = (maxBytes: number) => z.base64().max(Math.ceil(maxBytes / 3) * 4)
const text = z.string().min(1).max(16_384)
const coordinate = z
  .number()
  .min(-100 * facePicturePx)
  .max(100 * facePicturePx)
const point = z.tuple([coordinate, coordinate])

const headerSchema = z.object({
  kind: z.literal('cameo-names'),
  version: z.int().min(1),
})

const nameSchema = z.object({
  kind: z.literal('name'),
  name: text,
  aliases: z.array(text).max(maxAliases),
  note: z.string().max(maxNoteLength).nullable(),
})

const faceSchema = z.object({
  kind: z.literal('face'),
  name: text,
  /** The file that it came from, on the machine where it was enrolled. */
  source: text,
  quality: z.number().min(0).max(1),
  /** Embeddings of the face by several models, each named by its digest. */
  embeddings: z
    .array(
      z.object({
        embedder: z.string().min(1).max(256),
        norm: z.number(),
        /** float16, little-endian. */
        vector: base64(2 * maxDimension).min(4),
      }),
    )
    .min(1)
    .max(maxFeatures + 16),
  /** Null if no picture was kept. */
  picture: z
    .object({
      jpeg: base64(maxFacePictureBytes),
      box: z.tuple([coordinate, coordinate, coordinate, coordinate]),
      landmarks: z.tuple([point, point, point, point, point]),
    })
    .nullable(),
})

const correctionSchema = z.object({
  kind: z.literal('correction'),
  name: text,
  clipId: z.string().regex(/^[0-9a-f]{64}$/),
  verdict: z.enum(['confirmed', 'rejected']),
  at: z.string().max(64),
  place: trackPlaceSchema,
})

const endSchema = z.object({
  kind: z.literal('end'),
  /** Of the lines before this one. */
  lines: z.int().min(1),
  sha256: z.string(),
})

export const lineSchema = z.discriminatedUnion('kind', [
  headerSchema,
  nameSchema,
  faceSchema,
  correctionSchema,
  endSchema,
])

export type NamesLine = z.infer<typeof lineSchema>
export type NameLine = z.infer<typeof nameSchema>
export type FaceLine = z.infer<typeof faceSchema>
export type CorrectionLine = z.infer<typeof correctionSchema>
