import { encode } from '@msgpack/msgpack'
import { z } from 'zod'
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
 * What travels through the topics: MessagePack maps, checked on arrival. Every message has `v`, the version of its
 * schema, and `kind`. Vectors and pictures are bytes; times are seconds, coordinates pixels of the displayed clip.
 */
export const wireVersion = 1

/** Of what is about recipes with further embedders or context encoders: workers of before would drop their vectors. */
export const featuresVersion = 2

/** The version of a message about clips of that recipe: those of before are written as they were. */
export const versionFor = ({ features }: Pick<WireRecipe, 'features'>) =>
  features === undefined ? wireVersion : featuresVersion

/** Of a segment: more would be one every tenth of a second. */
const maxGaps = 10_000

/** Sentences about a clip: one for each further stream, as a rule. */
const maxLeftOut = 64

/** How clips are processed; `cameo submit` decides it, every worker follows it. */
const recipeSchema = z.object({
  digest,
  embedderDigest: digest,
  spaceDigest: digest,
  /** Name in the catalog, or path of a pack's JSON file at the workers. */
  packName: address,
  headSha256: sha256.optional(),
  settings: settingsSchema,
  /** Further embedders and context encoders; workers are started with the files that have these digests. */
  features: listOf(featureSchema, maxFeatures).readonly().optional(),
})
export type WireRecipe = z.infer<typeof recipeSchema>

/** Where a clip lies: an absolute path as `cameo submit` saw it, or a URL; and the folder it was submitted with. */
const sourceSchema = z.object({
  uri: address,
  root: address,
  /** When the file's node changed, as `cameo submit` saw it; comes back in the clip's status. */
  ctimeNs: shortText.optional(),
})
export type ClipSource = z.infer<typeof sourceSchema>

const stampSchema = z.object({
  device: z.string().max(256),
  /** Of a fetched file its address. */
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
  /** Sentences; absent: all of it is looked at. */
  leftOut: listOf(z.string().max(maxReasonLength), maxLeftOut).readonly().optional(),
})

/** A clip's plan: fixed when it is opened first, and part of every message about it from then on. */
const planSchema = z.object({
  clipId: sha256,
  stamp: stampSchema,
  facts: factsSchema,
  segments: z.int().min(1).max(maxSegments),
  cuttable: z.boolean(),
  /** Of its descriptors; before the describe stage, of its embeddings. */
  dimension: z.int().min(1).max(maxDimension),
  /** Of the job that opened the clip: a clip submitted again is another pass, a job handled twice is the same one. */
  pass: shortText.optional(),
})
export type WirePlan = z.infer<typeof planSchema>

/** Counts from 0. */
const segmentIndex = countUpTo(maxSegments - 1)

const failureSchema = z.object({ code: shortText, message: z.string().max(2 * maxReasonLength) })
export type WireFailure = z.infer<typeof failureSchema>

/** Why something was given up. */
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
  /** A clip not opened yet: plan it, do its first segment (or all, where it cannot be cut), publish the others. */
  z.object({ ...envelope, kind: z.literal('clip') }),
  /** One segment of a planned clip. */
  z.object({ ...envelope, kind: z.literal('segment'), plan: planSchema, segment: segmentIndex }),
] as const

/** Partitions are chosen by it: each segment of a long film on its own. */
export const jobKey = (uri: string, segment: number) => `${uri}#${segment}`

/** Each further embedder's, and those of mirror images of all of them and of the pack's own. */
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
  /** Of further embedders; likewise. */
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

/** Says which run over which segment a part belongs to: what a worker that died left behind is never mixed in. */
const partOf = { clipId: sha256, segment: segmentIndex, attempt: shortText }

const maxDevice = 255

/** `cpu`, or `cuda:` with the device's number. Of a number within a template zod checks the kind, but not the bounds. */
const provider = z
  .templateLiteral([z.literal('cuda:'), z.int().min(0).max(maxDevice)])
  .refine((text) => /^cuda:\d{1,3}$/.test(text) && Number(text.slice('cuda:'.length)) <= maxDevice, {
    error: `the number of a device is from 0 to ${maxDevice}`,
  })
  .or(z.literal('cpu'))

/** The last message of a segment: it counts only with all its parts. */
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
  /** What could not be decoded; absent: nothing. */
  gapsS: listOf(z.tuple([seconds, seconds]), maxGaps).optional(),
  /** What context encoders made of the segment; vectors are float16, little-endian. */
  contexts: listOf(z.object({ encoder: digest, frames: count, vector: float16 }), maxFeatures).optional(),
})

/** A clip, or some of its segments, that were given up for good. */
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
  /** Of the file that was processed. */
  sizeBytes: count.optional(),
  mtimeNs: version.optional(),
  /** Of the source. */
  ctimeNs: shortText.optional(),
  clipId: sha256.optional(),
  tracks: count.optional(),
  truncated: z.boolean().optional(),
  /** What could not be decoded, and sentences about what was not looked at; absent: nothing. */
  lostS: seconds.optional(),
  leftOut: listOf(z.string().max(maxReasonLength), maxLeftOut).readonly().optional(),
  failure: failureSchema.optional(),
  at: time,
  /** What was looked at: workers of before do not tell. */
  durationS: seconds.optional(),
  frames: count.optional(),
  faces: count.optional(),
})

/** Of a name and one photo or clip; in a message there is no room for as many. */
const maxFacesOfSource = 4096

/** Topic `names`: the newest message of a key counts; one without a value undoes it. */
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
      }),
      maxFacesOfSource,
    ),
  }),
  z.object({ v: z.literal(wireVersion), kind: z.literal('forgotten'), clipId: sha256 }),
] as const

/** Topic `dead-letters`. */
const deadLetterSchema = z.object({
  v: z.literal(wireVersion),
  kind: z.literal('dead-letter'),
  stage: z.enum(['faces', 'describe', 'index']),
  failure: failureSchema,
  attempts: tries,
  /** What it was about, where that is known. */
  uri: address.optional(),
  topic: shortText,
  partition,
  /** An int64. */
  offset: z.string().regex(/^\d{1,19}$/),
  key: bytes.optional(),
  /** The message as it was; absent where it is larger than messages of Cameo's are. */
  original: bytes.optional(),
  at: time,
})

const jobs = z.discriminatedUnion('kind', jobSchemas)
const embeddings = z.discriminatedUnion('kind', [tracksSchema, closingSchema, givenUpSchema])
const descriptors = z.discriminatedUnion('kind', [describedSchema, closingSchema, givenUpSchema])
const names = z.discriminatedUnion('kind', nameSchemas)

/** What each topic carries. */
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
