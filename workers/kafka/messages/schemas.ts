import { encode } from '@msgpack/msgpack'
import { z } from 'zod'
import { maxAliases, maxNoteLength } from '../../../index/identities/describe-name.js'
import { trackPlaceSchema } from '../../../index/identities/track-place.js'
import { maxFacePictureBytes } from '../../../pipeline/align/face-picture.js'
import type { ErrorCode } from '../../../pipeline/common/errors.js'
import {
  maxDimension,
  maxFacesPerTrack,
  maxFeatures,
  maxSegments,
  maxSidePx,
} from '../../../pipeline/common/limits.js'
import { featureSchema, settingsSchema } from '../../../pipeline/recipe/recipe.js'
import { readMessage } from './read-message.js'
import type { TopicKind } from '../broker/topics.js'
import {
  address,
  bytes,
  count,
  countUpTo,
  digest,
  float16,
  float32,
  frameTime,
  listOf,
  longText,
  maxParts,
  maxReasonLength,
  maxSpans,
  maxTracksOfPart,
  partition,
  seconds,
  sha256,
  shortText,
  tries,
  version,
} from './schema-fields.js'

/**
 * The messages of the topics: MessagePack maps, checked on arrival. Every message has `v`, the version of its
 * schema, and `kind`. Vectors and pictures are bytes. Times are seconds; coordinates are pixels of the
 * displayed clip.
 */
export const wireVersion = 1

/**
 * Version of messages about recipes with further embedders or context encoders. Older workers would drop
 * their vectors.
 */
export const featuresVersion = 2

/**
 * The version of a message about clips of that recipe. Messages about other recipes keep the first version.
 */
export const versionFor = ({ features }: Pick<WireRecipe, 'features'>) =>
  features === undefined ? wireVersion : featuresVersion

/** Limit per segment: more would be one every tenth of a second. */
const maxGaps = 10_000

/** Number of sentences about a clip; usually one per further stream. */
const maxLeftOut = 64

/** How clips are processed. `cameo submit` chooses it, and every worker follows it. */
const recipeSchema = z.object({
  digest,
  embedderDigest: digest,
  spaceDigest: digest,
  /** Name in the catalog, or path of a pack's JSON file on the workers' machines. */
  packName: address,
  headSha256: sha256.optional(),
  settings: settingsSchema,
  /** Further embedders and context encoders. Workers are started with the files that have these digests. */
  features: listOf(featureSchema, maxFeatures).readonly().optional(),
})
export type WireRecipe = z.infer<typeof recipeSchema>

/**
 * Where a clip lies: an absolute path on the machine of `cameo submit`, or a URL; and the folder that was
 * submitted.
 */
const sourceSchema = z.object({
  uri: address,
  root: address,
  /** Inode change time that `cameo submit` saw. The clip's status returns it. */
  ctimeNs: shortText.optional(),
})
export type ClipSource = z.infer<typeof sourceSchema>

const stampSchema = z.object({
  device: z.string().max(256),
  /** For a fetched file, its address. */
  inode: z.string().max(8192),
  sizeBytes: count,
  mtimeNs: version,
  ctimeNs: shortText.optional(),
})

const factsSchema = z.object({
  sizeBytes: count,
  durationS: seconds.optional(),
  widthPx: countUpTo(maxSidePx),
  heightPx: countUpTo(maxSidePx),
  codec: z.string().max(256),
  container: z.string().max(256),
  /** Sentences; absent: all of the clip is looked at. */
  leftOut: listOf(z.string().max(maxReasonLength), maxLeftOut).readonly().optional(),
})

/**
 * A clip's plan. It is fixed when the clip is first opened, and is part of every later message about the
 * clip.
 */
const planSchema = z.object({
  clipId: sha256,
  stamp: stampSchema,
  facts: factsSchema,
  segments: z.int().min(1).max(maxSegments),
  cuttable: z.boolean(),
  /** Number of values of a descriptor; before the describe stage, of an embedding. */
  dimension: z.int().min(1).max(maxDimension),
  /**
   * Identifies the job that opened the clip. A clip that is submitted again has another pass; a job that is
   * handled twice has the same one.
   */
  pass: shortText.optional(),
})
export type WirePlan = z.infer<typeof planSchema>

/** Counts from 0. */
const segmentIndex = countUpTo(maxSegments - 1)

const failureSchema = z.object({ code: shortText, message: z.string().max(2 * maxReasonLength) })
export type WireFailure = z.infer<typeof failureSchema>

/** Why processing failed. */
export function failureOf({
  code,
  message,
}: {
  readonly code: ErrorCode
  readonly message: string
}): WireFailure {
  return {
    code,
    message: message.length > maxReasonLength ? `${message.slice(0, maxReasonLength)} …` : message,
  }
}

const envelope = { v: z.literal([wireVersion, featuresVersion]), recipe: recipeSchema, source: sourceSchema }

/** Topic `jobs`. */
const jobSchemas = [
  /**
   * A clip that is not opened yet: plan it, process its first segment (or all segments if it cannot be cut),
   * publish the others.
   */
  z.object({ ...envelope, kind: z.literal('clip') }),
  /** One segment of a planned clip. */
  z.object({ ...envelope, kind: z.literal('segment'), plan: planSchema, segment: segmentIndex }),
] as const

/** Selects the partition. The segments of a long film are spread over partitions. */
export const jobKey = (uri: string, segment: number) => `${uri}#${segment}`

/**
 * Embeddings of each further embedder, and mirror-image embeddings of all of them and of the pack's embedder.
 */
const maxExtraEmbeddings = 2 * maxFeatures + 1

const faceSchema = z.object({
  timeS: frameTime,
  boxXyxyPx: z.tuple([z.number(), z.number(), z.number(), z.number()]),
  /** x and y of the five points. */
  landmarksPx: listOf(z.number(), 10, 10),
  detectionScore: z.number(),
  quality: z.number(),
  norm: z.number(),
  /** float16, little-endian, not normalised. */
  vector: float16,
  /** Of further embedders; same format. */
  extraEmbeddings: listOf(
    z.object({ embedder: digest, norm: z.number(), vector: float16 }),
    maxExtraEmbeddings,
  ).optional(),
})

const trackSchema = z.object({
  number: count,
  spansS: listOf(z.tuple([frameTime, frameTime]), maxSpans, 1),
  samples: count,
  quality: z.number(),
  faces: listOf(faceSchema, maxFacesPerTrack, 1),
  thumbnailJpeg: bytes,
})

const describedTrackSchema = trackSchema.extend({
  /** float32, little-endian, L2-normalised. */
  descriptor: float32,
})

export type WireTrack = z.infer<typeof trackSchema>
export type WireDescribedTrack = z.infer<typeof describedTrackSchema>

/**
 * Names the attempt and the segment that a part belongs to, so that parts of a worker that died are never
 * mixed in.
 */
const partOf = { clipId: sha256, segment: segmentIndex, attempt: shortText }

const maxDevice = 255

/**
 * `cpu`, or `cuda:` with the device's number. In a template zod checks only that it is a number, not its
 * bounds.
 */
const provider = z
  .templateLiteral([z.literal('cuda:'), z.int().min(0).max(maxDevice)])
  .refine((text) => /^cuda:\d{1,3}$/.test(text) && Number(text.slice('cuda:'.length)) <= maxDevice, {
    error: `the number of a device is from 0 to ${maxDevice}`,
  })
  .or(z.literal('cpu'))

/** The last message of a segment. It counts only with all its parts. */
const closingSchema = z.object({
  ...envelope,
  ...partOf,
  kind: z.literal('closing'),
  parts: countUpTo(maxParts),
  tracks: countUpTo(maxParts * maxTracksOfPart),
  plan: planSchema,
  startS: seconds,
  /** Absent: open to the end. */
  endS: seconds.optional(),
  frames: count,
  faces: count,
  truncated: z.boolean(),
  provider,
  /** Stretches that could not be decoded; absent: none. */
  gapsS: listOf(z.tuple([seconds, seconds]), maxGaps).optional(),
  /** Context features of the segment; vectors are float16, little-endian. */
  contexts: listOf(z.object({ encoder: digest, frames: count, vector: float16 }), maxFeatures).optional(),
})

/** A clip, or some of its segments, that could not be processed. */
const givenUpSchema = z.object({
  ...envelope,
  kind: z.literal('given-up'),
  failure: failureSchema,
  attempts: tries,
  stamp: stampSchema.optional(),
  clipId: sha256.optional(),
  /** Absent: the clip could not be planned. */
  plan: planSchema.optional(),
  segments: listOf(z.object({ index: segmentIndex, startS: seconds, endS: seconds.optional() }), maxSegments),
})

const tracksSchema = z.object({
  ...envelope,
  ...partOf,
  kind: z.literal('tracks'),
  /** Counts from 0. */
  part: countUpTo(maxParts - 1),
  tracks: listOf(trackSchema, maxTracksOfPart),
})

const describedSchema = tracksSchema.extend({
  kind: z.literal('described'),
  tracks: listOf(describedTrackSchema, maxTracksOfPart),
})

/** ISO 8601. */
const time = z.string().max(64)

/** Topic `status`. */
const statusSchema = z.object({
  v: z.literal(wireVersion),
  kind: z.literal('status'),
  uri: address,
  recipe: digest,
  state: z.enum(['queued', 'indexed', 'partial', 'failed', 'forgotten']),
  /** Size of the file that was processed. */
  sizeBytes: count.optional(),
  mtimeNs: version.optional(),
  /** Inode change time of the source. */
  ctimeNs: shortText.optional(),
  clipId: sha256.optional(),
  tracks: count.optional(),
  truncated: z.boolean().optional(),
  /** Time that could not be decoded, and sentences about parts that were not looked at; absent: none. */
  lostS: seconds.optional(),
  leftOut: listOf(z.string().max(maxReasonLength), maxLeftOut).readonly().optional(),
  failure: failureSchema.optional(),
  at: time,
  /** What was looked at. Older workers do not send it. */
  durationS: seconds.optional(),
  frames: count.optional(),
  faces: count.optional(),
})

/** Faces of a name from one photo or clip. A message has no room for that many. */
const maxFacesOfSource = 4096

/** Corrections of a name in one clip. */
const maxCorrections = 2000

const coordinate = z.number().min(-1e6).max(1e6)

/**
 * Topic `names`: the newest message of a key counts. A message without a value deletes the key. A reader skips a kind
 * that it does not know, and ignores fields that it does not know.
 */
const nameSchemas = [
  z.object({
    v: z.literal(wireVersion),
    kind: z.literal('enrolled'),
    name: longText,
    faces: listOf(
      z.object({
        source: z.string().max(16_384),
        embedder: z.string().max(256),
        norm: z.number(),
        vector: float16,
        quality: z.number(),
        /** Which of the pictures is of this face. Absent: no picture was kept, or the message has no room for it. */
        picture: countUpTo(maxFacesOfSource - 1).optional(),
      }),
      maxFacesOfSource,
    ),
    /** JPEG pictures of faces, with pixels of the picture. Absent: none. */
    pictures: listOf(
      z.object({
        jpeg: bytes.refine(
          ({ byteLength }) => byteLength <= maxFacePictureBytes,
          `a picture has up to ${maxFacePictureBytes} bytes`,
        ),
        boxXyxyPx: z.tuple([coordinate, coordinate, coordinate, coordinate]),
        /** x and y of the five points. */
        landmarksPx: listOf(coordinate, 10, 10),
      }),
      maxFacesOfSource,
    ).optional(),
  }),
  z.object({ v: z.literal(wireVersion), kind: z.literal('forgotten'), clipId: sha256 }),
  /** What people said about a name and the tracks of a clip. */
  z.object({
    v: z.literal(wireVersion),
    kind: z.literal('corrected'),
    name: longText,
    clipId: sha256,
    corrections: listOf(
      z.object({
        verdict: z.enum(['confirmed', 'rejected']),
        /** ISO 8601. */
        at: z.string().max(64),
        place: trackPlaceSchema,
      }),
      maxCorrections,
    ),
  }),
  /** The aliases of a name, and what people wrote about it. */
  z.object({
    v: z.literal(wireVersion),
    kind: z.literal('about'),
    name: longText,
    aliases: listOf(longText, maxAliases),
    note: z.string().max(maxNoteLength).optional(),
  }),
] as const

/** Topic `dead-letters`. */
const deadLetterSchema = z.object({
  v: z.literal(wireVersion),
  kind: z.literal('dead-letter'),
  stage: z.enum(['faces', 'describe', 'index']),
  failure: failureSchema,
  attempts: tries,
  /** The clip it was about, if known. */
  uri: address.optional(),
  topic: shortText,
  partition,
  /** An int64. */
  offset: z.string().regex(/^\d{1,19}$/),
  key: bytes.optional(),
  /** The original message; absent if it is larger than any Cameo message. */
  original: bytes.optional(),
  at: time,
})

const jobs = z.discriminatedUnion('kind', jobSchemas)
const embeddings = z.discriminatedUnion('kind', [tracksSchema, closingSchema, givenUpSchema])
const descriptors = z.discriminatedUnion('kind', [describedSchema, closingSchema, givenUpSchema])
const names = z.discriminatedUnion('kind', nameSchemas)

/** The schemas of each topic. */
export const topicSchemas = {
  jobs,
  embeddings,
  descriptors,
  status: statusSchema,
  names,
  'dead-letters': deadLetterSchema,
} as const satisfies Record<TopicKind, z.ZodType>

export type JobMessage = z.infer<typeof jobs>
export type EmbeddingsMessage = z.infer<typeof embeddings>
export type DescriptorsMessage = z.infer<typeof descriptors>
export type TracksMessage = z.infer<typeof tracksSchema>
export type DescribedMessage = z.infer<typeof describedSchema>
export type ClosingMessage = z.infer<typeof closingSchema>
export type GivenUpMessage = z.infer<typeof givenUpSchema>
export type StatusMessage = z.infer<typeof statusSchema>
export type NameMessage = z.infer<typeof names>
export type DeadLetter = z.infer<typeof deadLetterSchema>

export type WireMessage = z.infer<(typeof topicSchemas)[TopicKind]>

export function encodeMessage(message: WireMessage): Buffer {
  const encoded = encode(message, { ignoreUndefined: true })
  return Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength)
}

const decodeAs =
  <T>(schema: z.ZodType<T>) =>
  (value: Uint8Array | null) =>
    readMessage(schema, value, featuresVersion)

export const decodeJob = decodeAs(topicSchemas.jobs)
export const decodeEmbeddings = decodeAs(topicSchemas.embeddings)
export const decodeDescriptors = decodeAs(topicSchemas.descriptors)
export const decodeStatus = decodeAs(topicSchemas.status)
export const decodeName = decodeAs(topicSchemas.names)
export const decodeDeadLetter = decodeAs(topicSchemas['dead-letters'])
