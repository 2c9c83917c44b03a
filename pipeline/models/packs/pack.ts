import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { CameoError, messageOf } from '../../common/errors.js'
import { readJsonFile } from '../../common/json-file.js'
import { maxDimension } from '../../common/limits.js'
import { inputSchema, type ModelInput } from '../../data/model-input.js'

export const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 digest is 64 lower-case hex digits')
/** "." and ".." are folders: files written under such a name would land outside the pack's own folder. */
const fileName = z.string().regex(/^(?!\.{1,2}$)[\w.-]+$/, 'a file name without a folder')

const fileSchema = z.strictObject({ name: fileName, sha256 })

/** Where the files of a pack come from. */
const sourceSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('npm'),
    /** `name@version`, exact. */
    package: z.string(),
    folder: z.string(),
    bytes: z.int().positive().optional(),
  }),
  z.strictObject({
    kind: z.literal('zip'),
    url: z.url({ protocol: /^https?$/ }),
    sha256,
    bytes: z.int().positive().optional(),
  }),
  /** From a Python package index. */
  z.strictObject({
    kind: z.literal('wheel'),
    /** `name==version`, exact. */
    package: z.string().regex(/^[A-Za-z0-9][\w.-]*==[\w.!+]+$/, 'name==version'),
    /** The wheel's own file name in the index. */
    file: z.string().regex(/^[\w.+-]+\.whl$/, 'the file name of a wheel'),
    sha256,
    bytes: z.int().positive().optional(),
  }),
  /** Each file at `url` + name. */
  z.strictObject({ kind: z.literal('http'), url: z.url({ protocol: /^https?$/ }) }),
  /** A folder on this machine, relative to the JSON file. */
  z.strictObject({ kind: z.literal('folder'), folder: z.string() }),
])

const detectorSchema = z
  .strictObject({
    decoder: z.enum(['ultraface', 'scrfd', 'yunet']),
    file: fileSchema,
    input: inputSchema,
    /** Faces below this score are dropped. A face above `highScore` may begin a track. */
    minScore: z.number().min(0).max(1),
    highScore: z.number().min(0).max(1),
    /** The smallest and largest face height (px on the input canvas) that the detector finds reliably. */
    minFacePx: z.number().positive(),
    maxFacePx: z.number().positive(),
  })
  .refine(({ minScore, highScore }) => minScore <= highScore, {
    path: ['highScore'],
    message: 'it must not be below minScore',
  })
  .refine(({ minFacePx, maxFacePx }) => minFacePx < maxFacePx, {
    path: ['maxFacePx'],
    message: 'it must be above minFacePx',
  })

/** Share of pairs of different people. Never 0, because its logarithm is computed. */
const falseAcceptRate = z.number().positive().max(1)

/** Beyond the last point of the curve: rate × e^(−(threshold − last) / scale). */
const exponentialSchema = z.strictObject({ rate: falseAcceptRate, scale: z.number().positive() })

/** What `npm run calibrate` measured on tracks and photos of people who do not appear in the training data. */
const calibrationSchema = z.strictObject({
  /** Default match threshold (cosine similarity), and the false accept rate at that threshold. */
  threshold: z.number(),
  falseAcceptRate,
  /** Measured at more thresholds, ascending: [threshold, rate]. */
  curve: z
    .array(z.tuple([z.number(), falseAcceptRate]).readonly())
    .min(1)
    .refine(isAscending, 'the thresholds must ascend')
    .refine(neverRises, 'the rates must not rise')
    .readonly()
    .optional(),
  /** Beyond the curve: extrapolated from the rate of its last point. */
  tail: z
    .strictObject({
      scale: z.number().positive(),
      /** The two ends of a 95 % interval over people. */
      interval: z.tuple([exponentialSchema, exponentialSchema]).readonly().optional(),
    })
    .optional(),
  /**
   * How much more likely a score is for one person than for two, one table per quality bucket: ln(density among mated /
   * among non-mated pairs). The buckets ascend; the last one has no upper end.
   */
  likelihood: z
    .array(
      z.strictObject({
        /** Applies to the lower quality of the two compared faces. */
        belowQuality: z.number().positive(),
        /** [score, log ratio], both ascending. */
        logRatios: z
          .array(z.tuple([z.number(), z.number()]).readonly())
          .min(1)
          .refine(isAscending, 'the scores must ascend')
          .readonly(),
      }),
    )
    .min(1)
    .readonly()
    .optional(),
})

/** What `npm run calibrate:hidden` learned about partly hidden faces. */
const hiddenFacesSchema = z.strictObject({
  /** Weights of a logistic model of the L2-normalised embedding, one per dimension. */
  weights: z.array(z.number()).readonly(),
  bias: z.number(),
  /**
   * Cosine similarity from which two hidden faces match: as many pairs of different people reach it as reach the usual
   * threshold.
   */
  threshold: z.number().optional(),
})

const packSchema = z.strictObject({
  /** Also the name of its folder among the models. */
  name: fileName,
  licence: z.string(),
  source: sourceSchema,
  detector: detectorSchema,
  /** Needed if the detector gives no landmarks: 68 points from a square face crop. */
  landmarker: z
    .strictObject({ decoder: z.literal('points68'), file: fileSchema, input: inputSchema })
    .optional(),
  embedder: z.strictObject({
    file: fileSchema,
    input: inputSchema,
    dimension: z.int().positive().max(maxDimension),
    /**
     * Raw embedding norms. A crop with a norm below `low` is not a face, or a hopeless one, and is dropped (as in the
     * public iQIYI-VID recipes). From `low` to `high`, the norm term of the quality rises to 1.
     */
    norm: z.strictObject({ low: z.number(), high: z.number() }).optional(),
  }),
  calibration: calibrationSchema.optional(),
  hiddenFaces: hiddenFacesSchema.optional(),
})

function isAscending(curve: readonly (readonly [number, number])[]): boolean {
  return curve.every(([threshold], i) => threshold > (curve[i - 1]?.[0] ?? -Infinity))
}

function neverRises(curve: readonly (readonly [number, number])[]): boolean {
  return curve.every(([, rate], i) => rate <= (curve[i - 1]?.[1] ?? Infinity))
}

/** A set of model files that work together, with their inputs. */
export interface Pack extends z.infer<typeof packSchema> {
  /**
   * For an ensemble (`ensembleOf`): the packs with the embedders that process each face, and with the folders that hold
   * the files.
   */
  readonly members?: readonly Pack[]
}
export type Calibration = z.infer<typeof calibrationSchema>
export type PackFile = z.infer<typeof fileSchema>
export type PackSource = z.infer<typeof sourceSchema>
export type DetectorSpec = z.infer<typeof detectorSchema>
export type LandmarkerSpec = NonNullable<Pack['landmarker']>
export type EmbedderSpec = Pack['embedder']

/** Checks a pack. Throws PACK_INVALID that lists every wrong field. */
export function parsePack(value: unknown, where: string): Pack {
  const result = packSchema.safeParse(value)
  if (!result.success)
    throw new CameoError('PACK_INVALID', `${where} is not a model pack:\n${z.prettifyError(result.error)}`)
  const pack = result.data
  if (pack.detector.decoder === 'ultraface' && pack.landmarker === undefined)
    throw new CameoError(
      'PACK_INVALID',
      `${where}: an ultraface detector gives no landmarks, so a landmarker is needed`,
    )
  const { hiddenFaces, embedder } = pack
  if (hiddenFaces !== undefined && hiddenFaces.weights.length !== embedder.dimension)
    throw new CameoError(
      'PACK_INVALID',
      `${where}: hiddenFaces.weights has ${hiddenFaces.weights.length} values, the embedder gives ${embedder.dimension}`,
    )
  return pack
}

/** Reads a pack that a user wrote as JSON. A source folder is relative to the file. */
export function readPackFile(file: string): Pack {
  let value: unknown
  try {
    value = readJsonFile(file)
  } catch (error) {
    throw new CameoError('PACK_INVALID', `the model pack ${file} cannot be read: ${messageOf(error)}`, {
      cause: error,
    })
  }
  const pack = parsePack(value, file)
  if (pack.source.kind !== 'folder') return pack
  return { ...pack, source: { kind: 'folder', folder: resolve(dirname(file), pack.source.folder) } }
}

export interface PackModel {
  readonly file: PackFile
  readonly input: ModelInput
  /** Name of the file's folder among the models. */
  readonly folder: string
}

/** The pack's models in order of use: each file and its input. */
export function modelsOf(pack: Pack): PackModel[] {
  const [{ name, detector, landmarker, embedder } = pack, ...others] = pack.members ?? []
  return [
    ...[detector, ...(landmarker === undefined ? [] : [landmarker]), embedder].map(({ file, input }) => ({
      ...{ file, input },
      folder: name,
    })),
    ...others.map((other) => ({
      ...{ file: other.embedder.file, input: other.embedder.input },
      folder: other.name,
    })),
  ]
}

export const packFiles = (pack: Pack): PackFile[] => modelsOf(pack).map(({ file }) => file)

export type HiddenFaces = NonNullable<Pack['hiddenFaces']>
