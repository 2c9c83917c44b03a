import { decode, encode } from '@msgpack/msgpack'
import { z } from 'zod'
import { CameoError, messageOf, type ErrorCode } from '../../pipeline/errors.js'
import { featureSchema, settingsSchema } from '../../pipeline/settings.js'

/**
 * What travels through the topics: MessagePack maps, checked on arrival. Every message has `v`, the version of its
 * schema, and `kind`. Vectors and pictures are bytes; times are seconds, coordinates pixels of the displayed clip.
 */
export const wireVersion = 1

/** Of what is about recipes with further embedders or context encoders: workers of before would drop their vectors. */
const featuresVersion = 2

/** The version of a message about clips of that recipe: those of before are written as they were. */
export const versionFor = ({ features }: Pick<WireRecipe, 'features'>) =>
  features === undefined ? wireVersion : featuresVersion

const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'bytes are expected')
const floats = (size: 2 | 4) =>
  bytes.refine(
    ({ byteLength }) => byteLength > 0 && byteLength % size === 0,
    `float${8 * size} numbers are expected`,
  )
const float16 = floats(2)
const float32 = floats(4)
const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const digest = z.string().regex(/^[0-9a-f]{16,64}$/)
const count = z.int().min(0)
const seconds = z.number().min(0)

/** A path or URL. What a message says of itself comes back in statuses and dead letters, which have to fit in a message too. */
const address = z.string().min(1).max(8192)
const shortText = z.string().min(1).max(256)

/** Of a reason, so that a long one fits. Characters. */
const maxReasonLength = 2000

/** Of a segment: more would be one every tenth of a second. */
const maxGaps = 10_000

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
  features: z.array(featureSchema).max(64).readonly().optional(),
})
export type WireRecipe = z.infer<typeof recipeSchema>

/** Where a clip lies: an absolute path as `cameo submit` saw it, or a URL; and the folder it was submitted with. */
const sourceSchema = z.object({ uri: address, root: address })
export type ClipSource = z.infer<typeof sourceSchema>

const stampSchema = z.object({
  device: z.string(),
  inode: z.string(),
  sizeBytes: count,
  mtimeNs: z.string(),
})

const factsSchema = z.object({
  sizeBytes: count,
  durationS: seconds.optional(),
  widthPx: count,
  heightPx: count,
  codec: z.string(),
  container: z.string(),
  /** Sentences; absent: all of it is looked at. */
  leftOut: z.array(z.string().max(maxReasonLength)).max(64).readonly().optional(),
})

/** A clip's plan: fixed when it is opened first, and part of every message about it from then on. */
const planSchema = z.object({
  clipId: sha256,
  stamp: stampSchema,
  facts: factsSchema,
  segments: z.int().min(1),
  cuttable: z.boolean(),
  /** Of its descriptors; before the describe stage, of its embeddings. */
  dimension: z.int().min(1),
  /** Of the job that opened the clip: a clip submitted again is another pass, a job handled twice is the same one. */
  pass: shortText.optional(),
})
export type WirePlan = z.infer<typeof planSchema>

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
  z.object({ ...envelope, kind: z.literal('segment'), plan: planSchema, segment: count }),
] as const

/** Partitions are chosen by it: each segment of a long film on its own. */
export const jobKey = (uri: string, segment: number) => `${uri}#${segment}`

const faceSchema = z.object({
  timeS: z.number(),
  boxXyxyPx: z.tuple([z.number(), z.number(), z.number(), z.number()]),
  /** x and y of the five points. */
  landmarksPx: z.array(z.number()).length(10),
  detectionScore: z.number(),
  quality: z.number(),
  norm: z.number(),
  /** float16, little-endian, not normalised. */
  vector: float16,
  /** Of further embedders; likewise. */
  extraEmbeddings: z.array(z.object({ embedder: digest, norm: z.number(), vector: float16 })).optional(),
})

const trackSchema = z.object({
  number: count,
  spansS: z.array(z.tuple([z.number(), z.number()])).min(1),
  samples: count,
  quality: z.number(),
  faces: z.array(faceSchema).min(1),
  thumbnailJpeg: bytes,
})

const describedTrackSchema = trackSchema.extend({
  /** float32, little-endian, L2-normalised. */
  descriptor: float32,
})

export type WireTrack = z.infer<typeof trackSchema>
export type WireDescribedTrack = z.infer<typeof describedTrackSchema>

/** Says which run over which segment a part belongs to: what a worker that died left behind is never mixed in. */
const partOf = { clipId: sha256, segment: count, attempt: shortText }

/** The last message of a segment: it counts only with all its parts. */
const closingSchema = z.object({
  ...envelope,
  ...partOf,
  kind: z.literal('closing'),
  parts: count,
  tracks: count,
  plan: planSchema,
  startS: seconds,
  /** Absent: open to the end. */
  endS: seconds.optional(),
  frames: count,
  faces: count,
  truncated: z.boolean(),
  provider: z.string(),
  /** What could not be decoded; absent: nothing. */
  gapsS: z
    .array(z.tuple([seconds, seconds]))
    .max(maxGaps)
    .optional(),
  /** What context encoders made of the segment; vectors are float16, little-endian. */
  contexts: z.array(z.object({ encoder: digest, frames: count, vector: float16 })).optional(),
})

/** A clip, or some of its segments, that were given up for good. */
const givenUpSchema = z.object({
  ...envelope,
  kind: z.literal('given-up'),
  failure: failureSchema,
  attempts: z.int().min(1),
  stamp: stampSchema.optional(),
  clipId: sha256.optional(),
  /** Absent: the clip could not be planned. */
  plan: planSchema.optional(),
  segments: z.array(z.object({ index: count, startS: seconds, endS: seconds.optional() })),
})

const tracksSchema = z.object({
  ...envelope,
  ...partOf,
  kind: z.literal('tracks'),
  /** Counts from 0. */
  part: count,
  tracks: z.array(trackSchema),
})

const describedSchema = tracksSchema.extend({
  kind: z.literal('described'),
  tracks: z.array(describedTrackSchema),
})

/** Topic `status`. */
const statusSchema = z.object({
  v: z.literal(wireVersion),
  kind: z.literal('status'),
  uri: address,
  recipe: digest,
  state: z.enum(['queued', 'indexed', 'partial', 'failed', 'forgotten']),
  /** Of the file that was processed. */
  sizeBytes: count.optional(),
  mtimeNs: z.string().optional(),
  clipId: sha256.optional(),
  tracks: count.optional(),
  truncated: z.boolean().optional(),
  /** What could not be decoded, and sentences about what was not looked at; absent: nothing. */
  lostS: seconds.optional(),
  leftOut: z.array(z.string()).readonly().optional(),
  failure: failureSchema.optional(),
  at: z.string(),
})

/** Topic `names`: the newest message of a key counts; one without a value undoes it. */
const nameSchemas = [
  z.object({
    v: z.literal(wireVersion),
    kind: z.literal('enrolled'),
    name: z.string().min(1),
    faces: z.array(
      z.object({
        source: z.string(),
        embedder: z.string(),
        norm: z.number(),
        vector: float16,
        quality: z.number(),
      }),
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
  attempts: z.int().min(1),
  /** What it was about, where that is known. */
  uri: z.string().optional(),
  topic: z.string(),
  partition: count,
  offset: z.string(),
  key: bytes.optional(),
  /** The message as it was; absent where it is larger than messages of Cameo's are. */
  original: bytes.optional(),
  at: z.string(),
})

const jobs = z.discriminatedUnion('kind', jobSchemas)
const embeddings = z.discriminatedUnion('kind', [tracksSchema, closingSchema, givenUpSchema])
const descriptors = z.discriminatedUnion('kind', [describedSchema, closingSchema, givenUpSchema])
const names = z.discriminatedUnion('kind', nameSchemas)

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

export type WireMessage =
  JobMessage | EmbeddingsMessage | DescriptorsMessage | StatusMessage | NameMessage | DeadLetter

export function encodeMessage(message: WireMessage): Buffer {
  const encoded = encode(message, { ignoreUndefined: true })
  return Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength)
}

export const decodeJob = (value: Uint8Array | null) => decodeAs(jobs, value)
export const decodeEmbeddings = (value: Uint8Array | null) => decodeAs(embeddings, value)
export const decodeDescriptors = (value: Uint8Array | null) => decodeAs(descriptors, value)
export const decodeStatus = (value: Uint8Array | null) => decodeAs(statusSchema, value)
export const decodeName = (value: Uint8Array | null) => decodeAs(names, value)
export const decodeDeadLetter = (value: Uint8Array | null) => decodeAs(deadLetterSchema, value)

/** A few bytes may claim to begin a list of millions, for which memory would be taken: none has more elements than bytes. */
function limitsFor({ byteLength }: Uint8Array) {
  return {
    ...{ maxStrLength: byteLength, maxBinLength: byteLength, maxExtLength: byteLength },
    ...{ maxArrayLength: byteLength, maxMapLength: byteLength },
  }
}

/** The first of what is wrong: there may be as many faults as elements. */
function faultsOf(error: z.ZodError): string {
  const first = new z.ZodError(error.issues.slice(0, 3))
  return z
    .prettifyError(first)
    .replace(/\s*\n\s*/g, ' ')
    .slice(0, maxReasonLength / 2)
}

/** @throws MESSAGE_INVALID, MESSAGE_NEWER */
function decodeAs<T>(schema: z.ZodType<T>, value: Uint8Array | null): T {
  if (value === null) throw new CameoError('MESSAGE_INVALID', 'the message is empty')
  let content: unknown
  try {
    content = decode(value, limitsFor(value))
  } catch (error) {
    throw new CameoError('MESSAGE_INVALID', `the message is no MessagePack: ${messageOf(error)}`, {
      cause: error,
    })
  }
  const version = z.object({ v: z.int() }).safeParse(content)
  if (version.success && version.data.v > featuresVersion)
    throw new CameoError(
      'MESSAGE_NEWER',
      `the message was written by a newer Cameo (version ${version.data.v}, this one reads up to ${featuresVersion}): update this worker, then "cameo dead-letters retry"`,
    )
  const parsed = schema.safeParse(content)
  if (!parsed.success)
    throw new CameoError('MESSAGE_INVALID', `the message does not fit its schema: ${faultsOf(parsed.error)}`)
  return parsed.data
}
