import { z } from 'zod'
import { CameoError } from '../../common/errors.js'
import { maxDimension, maxFeatures } from '../../common/limits.js'
import { readOnnxMetadata } from '../../onnx/onnx-file.js'

export const networkSchema = z.strictObject({
  /**
   * `residual`: d + W2·φ(W1·d), which begins as the identity. `paper`: in→width BN φ, then width→width BN φ with a shortcut
   * (as the public iQIYI-VID recipes have it); its output is `width` wide.
   */
  kind: z.enum(['residual', 'paper']).default('residual'),
  width: z.int().min(1).max(16_384).default(1024),
  /** Hidden layers; 1 and the classifier make three layers with the layer out of it. */
  depth: z.int().min(1).max(8).default(1),
  activation: z.enum(['prelu', 'relu', 'silu']).default('prelu'),
  /** Share of hidden values that are left out at random in training. */
  dropout: z.number().min(0).max(0.9).default(0),
})

export type NetworkSettings = z.infer<typeof networkSchema>

/** Names of a head's input and outputs. */
export const headNames = {
  input: 'embedding',
  scores: 'scores',
  descriptor: 'descriptor',
  features: 'features',
} as const

/** What a head's file says of itself. */
export const headMetadataSchema = z.object({
  version: z.literal(1),
  /** Digest and name of the embedder whose pooled embeddings it takes, in its input's order. */
  embedders: z
    .array(
      z.object({ digest: z.string(), name: z.string(), dimension: z.int().positive().max(maxDimension) }),
    )
    .min(1)
    .max(1 + maxFeatures),
  /** Identities of classes 1, 2, …, as the ground truth names them; class 0 is noise. */
  classes: z.array(z.string()),
  network: networkSchema,
  loss: z.string(),
  scale: z.number(),
  seed: z.int(),
  epochs: z.int(),
  residualShare: z.number(),
  /** SHA-256 over what it was trained on: rows, labels, embeddings. */
  trainingDigest: z.string(),
  /** Of the training: clips, classes, noise, MAP on val, … */
  figures: z.record(z.string(), z.number()),
})

export type HeadMetadata = z.infer<typeof headMetadataSchema>

export const metadataKey = 'cameo.head'

/** Undefined for an ONNX file that no `head train` wrote. Throws HEAD_INVALID with `name`. */
export function readHeadMetadata(name: string, onnx: Uint8Array): HeadMetadata | undefined {
  let text: string | undefined
  try {
    text = readOnnxMetadata(onnx).get(metadataKey)
  } catch (cause) {
    throw new CameoError(
      'HEAD_INVALID',
      `the head ${name} is no ONNX file: train it again or copy it again`,
      { cause },
    )
  }
  if (text === undefined) return undefined
  const parsed = headMetadataSchema.safeParse(JSON.parse(text))
  if (!parsed.success)
    throw new CameoError(
      'HEAD_INVALID',
      `the head ${name} describes itself in a way this version cannot read (${z.prettifyError(parsed.error)}): train it again`,
    )
  return parsed.data
}
