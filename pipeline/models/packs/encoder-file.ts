import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { CameoError, messageOf } from '../../common/errors.js'
import { readJsonFile } from '../../common/json-file.js'
import { maxDimension } from '../../common/limits.js'
import { digestOf, sha256OfFile } from '../../common/digest.js'
import { sha256 } from './pack.js'
import { inputSchema } from '../../data/model-input.js'

/** The limit keeps the vectors small enough for one message. */
const dimension = z.int().positive().max(maxDimension)

const common = {
  /** For people. The digest distinguishes encoders. */
  name: z.string().regex(/^[\w.-]+$/, 'letters, digits, dots and dashes'),
  /** The ONNX file, relative to the JSON file. */
  file: z.string().min(1),
  /** Of the ONNX file; checked if it is given. */
  sha256: sha256.optional(),
  dimension,
}

/** A further embedder. Its input is the same aligned faces as for the pack's own embedder. */
const embedderFileSchema = z.strictObject({
  kind: z.literal('embedder'),
  ...common,
  /** A face of 112×112 pixels is scaled if this is another size. */
  input: inputSchema,
  /** The tensor with the embedding, if the model has several outputs. */
  output: z.string().min(1).optional(),
})

/** An image classifier or encoder that processes whole frames. */
const contextFileSchema = z.strictObject({
  kind: z.literal('context'),
  ...common,
  input: inputSchema.extend({
    /** Only checked: the model itself defines its input type. */
    dtype: z.enum(['float32', 'float16']).optional(),
    /**
     * How a frame is fitted to the input: `stretch` changes its proportions; `crop` takes the largest centred part with
     * the input's proportions.
     */
    resize: z.enum(['stretch', 'crop']),
  }),
  /** A tensor with `dimension` channels: an output of the graph, or a value inside it. */
  output: z.string().min(1),
  /** `average` averages [1, channels, height, width] over space; `none` takes all values unchanged. */
  pool: z.enum(['average', 'none']).default('none'),
})

const encoderFileSchema = z.discriminatedUnion('kind', [embedderFileSchema, contextFileSchema])

interface Located {
  /** The JSON file; absolute, like `file`. */
  readonly source: string
  readonly sha256: string
}

export type EmbedderFile = z.infer<typeof embedderFileSchema> & Located
export type ContextFile = z.infer<typeof contextFileSchema> & Located

/** Models in addition to those of the pack: their results are stored in addition to the pack's results. */
export interface ExtraEncoders {
  readonly embedders: readonly EmbedderFile[]
  readonly contexts: readonly ContextFile[]
}

export const noEncoders: ExtraEncoders = { embedders: [], contexts: [] }

/**
 * Reads an encoder file that a user wrote, and checks its ONNX file.
 * @throws ENCODER_INVALID; MODEL_UNREADABLE if the ONNX file is missing; MODEL_DIGEST_MISMATCH with both digests
 */
export async function readEncoderFile(source: string): Promise<EmbedderFile | ContextFile> {
  const parsed = encoderFileSchema.safeParse(readJson(source))
  if (!parsed.success)
    throw new CameoError(
      'ENCODER_INVALID',
      `${source} is not an embedder or context encoder file:\n${z.prettifyError(parsed.error)}`,
    )
  const spec = parsed.data
  const file = resolve(dirname(source), spec.file)
  if (!existsSync(file))
    throw new CameoError('MODEL_UNREADABLE', `the model file ${file}, which ${source} names, is missing`)
  const digest = await sha256OfFile(file)
  if (spec.sha256 !== undefined && spec.sha256 !== digest)
    throw new CameoError(
      'MODEL_DIGEST_MISMATCH',
      `${file} has the SHA-256 ${digest}, but ${source} states ${spec.sha256}: get the right file, or correct the digest`,
    )
  const dtype = spec.kind === 'context' ? spec.input.dtype : undefined
  if (dtype !== undefined) {
    const { inputTypeOf } = await import('../../onnx/onnx-model.js')
    const own = inputTypeOf(await readFile(file))
    if (own !== dtype)
      throw new CameoError(
        'ENCODER_INVALID',
        `${source} states the input type ${dtype}, but ${file} takes ${own ?? 'another type'}: correct its dtype, or remove it`,
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
 * The digest of an embedder, whether it belongs to a pack or is a further one. Embeddings with equal digests can be
 * compared. It covers the model's file, its input, and whether mirror images are added.
 */
export function embedderDigestOf(
  { sha256, input, output }: Pick<EmbedderFile, 'sha256' | 'input' | 'output'>,
  mirror: boolean,
): string {
  return digestOf({ file: sha256, input, output, mirror })
}

/** The digest of embeddings of the faces' mirror images, which are stored separately from those of the faces. */
export const mirroredDigestOf = (embedderDigest: string): string => digestOf({ mirrored: embedderDigest })

/** The digest of context features; features with equal digests can be compared. */
export function contextDigestOf({ sha256, input, output, pool }: ContextFile): string {
  return digestOf({ file: sha256, input: { ...input, dtype: undefined }, output, pool })
}
