import { z } from 'zod'
import { digestOf } from '../common/digest.js'
import {
  contextDigestOf,
  embedderDigestOf,
  noEncoders,
  type ExtraEncoders,
} from '../models/packs/encoder-file.js'
import { CameoError } from '../common/errors.js'
import { maxDimension, maxFacesPerTrack, maxTimeS } from '../common/limits.js'
import { packFiles, type Pack } from '../models/packs/pack.js'

/** One frame in eleven days: the numbers of samples, and the values computed from their interval, stay exact. */
const leastFps = 1e-6

/** The settings that a person can choose for processing; every one of them changes the output. */
export const settingsSchema = z.strictObject({
  sampling: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('fps'), fps: z.number().min(leastFps).max(60) }),
      z.strictObject({ kind: z.literal('keyframes') }),
    ])
    .default({ kind: 'fps', fps: 4 }),
  /** Faces with at least this height are detected, px of the source. */
  minFacePx: z.number().min(12).max(2000).default(40),
  /** K: number of embedded faces per track. */
  facesPerTrack: z.int().min(1).max(maxFacesPerTrack).default(8),
  /** Each embedding is the mean of the embeddings of a face and of its mirror image. */
  mirror: z.boolean().default(false),
  /** The embeddings of mirror images are stored in addition to those of the faces, for training. */
  keepMirrored: z.literal(true).optional(),
  /** A longer clip is split into segments of this length, s. */
  segmentS: z.number().min(1).max(maxTimeS).default(600),
})

/** How clips are processed. Every setting changes the output. */
export interface Settings extends z.infer<typeof settingsSchema> {}

export const defaultSettings: Settings = settingsSchema.parse({})

/** Raise it whenever the same settings and files would give a different output. */
const pipelineVersion = 2

/**
 * One kind of vector that is stored in addition to the pack's embeddings: embeddings by a further embedder, or context
 * features.
 */
export const featureSchema = z.object({
  kind: z.enum(['embedder', 'context']),
  /** As stored with each vector. */
  digest: z.string().min(16).max(64),
  name: z.string().min(1).max(256),
  dimension: z.int().positive().max(maxDimension),
})

export type Feature = z.infer<typeof featureSchema>

/** Everything that affects the pipeline's output for a clip. */
export interface Recipe {
  readonly digest: string
  /** Digest of the embeddings alone: embeddings of two recipes with the same digest can be compared. */
  readonly embedderDigest: string
  /** Digest of the descriptors: embedder, pooling and head. */
  readonly spaceDigest: string
  readonly packName: string
  readonly settings: Settings
  /** Absent if there are none. */
  readonly features?: readonly Feature[] | undefined
}

export function createRecipe(
  pack: Pack,
  settings: Settings,
  headSha256?: string,
  encoders: ExtraEncoders = noEncoders,
): Recipe {
  return recipeOf(pack, settings, headSha256, featuresOf(encoders, settings))
}

/** Like `createRecipe`, if the features are known and the files of their encoders are not needed. */
export function recipeOf(
  pack: Pack,
  settings: Settings,
  headSha256: string | undefined,
  features: readonly Feature[],
): Recipe {
  const embedderDigest = digestOf({
    file: pack.embedder.file.sha256,
    input: pack.embedder.input,
    mirror: settings.mirror,
    // The other embedders of an ensemble, in order.
    further: pack.members?.slice(1).map(({ embedder: { file, input } }) => ({ file: file.sha256, input })),
  })
  const spaceDigest = spaceDigestOf(embedderDigest, headSha256)
  const digest = digestOf({
    pipelineVersion,
    settings,
    files: packFiles(pack).map((file) => file.sha256),
    detector: { ...pack.detector, file: undefined },
    landmarker: pack.landmarker?.input,
    norm: pack.embedder.norm,
    // The model lowers qualities; its threshold changes nothing that is stored.
    hiddenFaces: pack.hiddenFaces && { ...pack.hiddenFaces, threshold: undefined },
    spaceDigest,
    features: features.length === 0 ? undefined : features.map((feature) => feature.digest).sort(),
  })
  const recipe = { digest, embedderDigest, spaceDigest, packName: pack.name, settings }
  if (features.length === 0) return recipe
  checkDistinct([{ name: pack.name, digest: embedderDigest }, ...features])
  return { ...recipe, features }
}

/** Digest of descriptors that are pooled embeddings, or a head's output for them. */
export const spaceDigestOf = (embedderDigest: string, headSha256?: string): string =>
  digestOf({ embedderDigest, pooling: 'quality-weighted', head: headSha256 })

/** The features that further embedders and context encoders produce under these settings. */
export function featuresOf({ embedders, contexts }: ExtraEncoders, { mirror }: Settings): Feature[] {
  return [
    ...embedders.map((spec) => ({ kind: 'embedder' as const, digest: embedderDigestOf(spec, mirror), spec })),
    ...contexts.map((spec) => ({ kind: 'context' as const, digest: contextDigestOf(spec), spec })),
  ].map(({ kind, digest, spec: { name, dimension } }) => ({ kind, digest, name, dimension }))
}

function checkDistinct(made: readonly Pick<Feature, 'name' | 'digest'>[]): void {
  const names = new Map<string, string>()
  for (const { name, digest } of made) {
    const other = names.get(digest)
    if (other !== undefined)
      throw new CameoError(
        'USAGE',
        `the encoders "${other}" and "${name}" are the same: use only one of them`,
      )
    names.set(digest, name)
  }
}

/**
 * A segment's length: close to `segmentS`, and a multiple of the sampling interval, so that cuts fall between samples.
 */
export function segmentLengthS({ sampling, segmentS }: Settings): number {
  return sampling.kind === 'fps' ? Math.max(1, Math.round(segmentS * sampling.fps)) / sampling.fps : segmentS
}
