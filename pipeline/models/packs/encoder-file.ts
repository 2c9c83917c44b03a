import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { CameoError, messageOf } from '../../common/errors.js'
import { readJsonFile } from '../../common/json-file.js'
import { maxDimension } from '../../common/limits.js'
import { digestOf, sha256OfFile } from '../../common/digest.js'
import { inputTypeOf } from '../../onnx/onnx-model.js'
import { sha256 } from './pack.js'
import { inputSchema } from '../../data/model-input.js'

/** A vector of more values does not go into a message with others of its kind. */
const dimension = z.int().positive().max(maxDimension)

const common = {
  /** For people; the digest tells encoders apart. */
  name: z.string().regex(/^[\w.-]+$/, 'letters, digits, dots and dashes'),
  /** The ONNX file, relative to the JSON file. */
  file: z.string().min(1),
  /** Of the ONNX file: checked where it is given. */
  sha256: sha256.optional(),
  dimension,
}

/** A further embedder: fed the same aligned faces as the pack's own. */
const embedderFileSchema = z.strictObject({
  kind: z.literal('embedder'),
  ...common,
  /** A face of 112×112 pixels is scaled where this is another size. */
  input: inputSchema,
  /** The tensor that is the embedding, where the model has several outputs. */
  output: z.string().min(1).optional(),
})

/** An image classifier or encoder that is fed whole frames. */
const contextFileSchema = z.strictObject({
  kind: z.literal('context'),
  ...common,
  input: inputSchema.extend({
    /** Only checked: the model itself says what it takes. */
    dtype: z.enum(['float32', 'float16']).optional(),
    /** How a frame is fitted in: out of proportion, or the largest part in its middle that has the input's proportions. */
    resize: z.enum(['stretch', 'crop']),
  }),
  /** A tensor of the graph, an output or one inside it, of `dimension` channels. */
  output: z.string().min(1),
  /** Averages [1, channels, height, width] over space; `none` takes all values as they are. */
  pool: z.enum(['average', 'none']).default('none'),
})

const encoderFileSchema = z.discriminatedUnion('kind', [embedderFileSchema, contextFileSchema])

interface Located {
  /** The JSON file; absolute, as `file` is. */
  readonly source: string
  readonly sha256: string
}

export type EmbedderFile = z.infer<typeof embedderFileSchema> & Located
export type ContextFile = z.infer<typeof contextFileSchema> & Located

/** Models beside those of the pack: what they make is stored beside what the pack makes. */
export interface ExtraEncoders {
  readonly embedders: readonly EmbedderFile[]
  readonly contexts: readonly ContextFile[]
}

export const noEncoders: ExtraEncoders = { embedders: [], contexts: [] }

/**
 * Reads an encoder file that a user wrote, and makes sure that its ONNX file is the one that it means.
 * @throws ENCODER_INVALID, MODEL_UNREADABLE where the ONNX file is missing, MODEL_DIGEST_MISMATCH with both digests
 */
export async function readEncoderFile(source: string): Promise<EmbedderFile | ContextFile> {
  const parsed = encoderFileSchema.safeParse(readJson(source))
  if (!parsed.success)
    throw new CameoError(
      'ENCODER_INVALID',
      `${source} is no embedder or context encoder file:\n${z.prettifyError(parsed.error)}`,
    )
  const spec = parsed.data
  const file = resolve(dirname(source), spec.file)
  if (!existsSync(file))
    throw new CameoError('MODEL_UNREADABLE', `the model file ${file}, which ${source} names, is missing`)
  const digest = await sha256OfFile(file)
  if (spec.sha256 !== undefined && spec.sha256 !== digest)
    throw new CameoError(
      'MODEL_DIGEST_MISMATCH',
      `${file} has the SHA-256 ${digest}, ${source} says ${spec.sha256}: get the right file, or correct the digest`,
    )
  const dtype = spec.kind === 'context' ? spec.input.dtype : undefined
  if (dtype !== undefined) {
    const own = inputTypeOf(await readFile(file))
    if (own !== dtype)
      throw new CameoError(
        'ENCODER_INVALID',
        `${source} says that the model is fed ${dtype}, but ${file} takes ${own ?? 'something else'}: correct its dtype, or leave it out`,
      )
  }
  return { ...spec, file, sha256: digest, source: resolve(source) }
}

function readJson(source: string): unknown {
  try {
    return readJsonFile(source)
  } catch (error) {
    throw new CameoError(
      'ENCODER_INVALID',
      `the encoder file ${source} cannot be read: ${messageOf(error)}`,
      {
        cause: error,
      },
    )
  }
}

/**
 * Of embeddings that can be compared, whether a pack's embedder made them or a further one: the model's file, what it is
 * fed, and whether mirror images are added.
 */
export function embedderDigestOf(
  { sha256, input, output }: Pick<EmbedderFile, 'sha256' | 'input' | 'output'>,
  mirror: boolean,
): string {
  return digestOf({ file: sha256, input, output, mirror })
}

/** Of what an embedder makes of the faces' mirror images, kept beside what it makes of the faces. */
export const mirroredDigestOf = (embedderDigest: string): string => digestOf({ mirrored: embedderDigest })

/** Of context features that can be compared. */
export function contextDigestOf({ sha256, input, output, pool }: ContextFile): string {
  return digestOf({ file: sha256, input: { ...input, dtype: undefined }, output, pool })
}
