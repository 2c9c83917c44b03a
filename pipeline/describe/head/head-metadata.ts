import { z } from 'zod'
import { CameoError } from '../../common/errors.js'
import { maxDimension, maxFeatures } from '../../common/limits.js'

export const networkSchema = z.strictObject({
  /**
   * `residual`: d + W2·φ(W1·d), which begins as the identity. `paper`: in→width BN φ, then width→width BN φ with a
   * shortcut (as in the public iQIYI-VID recipes); its output is `width` wide.
   */
  kind: z.enum(['residual', 'paper']).default('residual'),
  width: z.int().min(1).max(16_384).default(1024),
  /** Hidden layers. With depth 1, the hidden layer, the layer after it and the classifier are three layers. */
  depth: z.int().min(1).max(8).default(1),
  activation: z.enum(['prelu', 'relu', 'silu']).default('prelu'),
  /** Share of hidden values that are dropped at random in training. */
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

/** The metadata in a head's file. */
export const headMetadataSchema = z.object({
  version: z.literal(1),
  /** The embedders that the head takes pooled embeddings from, in the order of its input. */
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
  /** SHA-256 over the training data: rows, labels, embeddings. */
  trainingDigest: z.string(),
  /** Figures of the training: clips, classes, noise, MAP on val, … */
  figures: z.record(z.string(), z.number()),
})

export type HeadMetadata = z.infer<typeof headMetadataSchema>

export const metadataKey = 'cameo.head'

/** Undefined for an ONNX file that `head train` did not write. Throws HEAD_INVALID with `name`. */
export async function readHeadMetadata(name: string, onnx: Uint8Array): Promise<HeadMetadata | undefined> {
  // Most archives have no head.
  const { readOnnxMetadata } = await import('../../onnx/onnx-file.js')
  let text: string | undefined
  try {
    text = readOnnxMetadata(onnx).get(metadataKey)
  } catch (cause) {
    throw new CameoError(
      'HEAD_INVALID',
      `the head ${name} is not an ONNX file: train it again or copy it again`,
      { cause },
    )
  }
  if (text === undefined) return undefined
  const parsed = headMetadataSchema.safeParse(JSON.parse(text))
  if (!parsed.success)
    throw new CameoError(
      'HEAD_INVALID',
      `the head ${name} has metadata that this version cannot read (${z.prettifyError(parsed.error)}): train it again`,
    )
  return parsed.data
}
