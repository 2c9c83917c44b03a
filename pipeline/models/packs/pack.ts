import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { CameoError, messageOf } from '../../common/errors.js'
import { readJsonFile } from '../../common/json-file.js'
import { maxDimension } from '../../common/limits.js'
import { inputSchema, type ModelInput } from '../../data/model-input.js'

export const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 digest is 64 lower-case hex digits')
/** "." and ".." are folders: what is written under such a name lands beside the pack's own folder. */
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
  /** Of a Python package index. */
  z.strictObject({
    kind: z.literal('wheel'),
    /** `name==version`, exact. */
    package: z.string().regex(/^[A-Za-z0-9][\w.-]*==[\w.!+]+$/, 'name==version'),
    /** The wheel's own name there. */
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
    /** Faces below this score are dropped; above `highScore` one may begin a track. */
    minScore: z.number().min(0).max(1),
    highScore: z.number().min(0).max(1),
    /** The smallest and largest face height (px on the input canvas) it finds reliably. */
    minFacePx: z.number().positive(),
    maxFacePx: z.number().positive(),
  })
  .refine(({ minScore, highScore }) => minScore <= highScore, {
    path: ['highScore'],
    message: 'it may not be below minScore',
  })
  .refine(({ minFacePx, maxFacePx }) => minFacePx < maxFacePx, {
    path: ['maxFacePx'],
    message: 'it must be above minFacePx',
  })

/** Of pairs of different people. Never 0: its logarithm is taken. */
const falseAcceptRate = z.number().positive().max(1)

/** Beyond the last point of the curve: rate × e^(−(threshold − last) / scale). */
const exponentialSchema = z.strictObject({ rate: falseAcceptRate, scale: z.number().positive() })

/** What `npm run calibrate` measured on tracks and photos of people who are not in the training data. */
const calibrationSchema = z.strictObject({
  /** Default match threshold, cosine similarity; and the rate there. */
  threshold: z.number(),
  falseAcceptRate,
  /** Measured at further thresholds, ascending: [threshold, rate]. */
  curve: z
    .array(z.tuple([z.number(), falseAcceptRate]).readonly())
    .min(1)
    .refine(isAscending, 'the thresholds must ascend')
    .refine(neverRises, 'the rates may not rise')
    .readonly()
    .optional(),
  /** Beyond the curve: extrapolated, from the rate of its last point on. */
  tail: z
    .strictObject({
      scale: z.number().positive(),
      /** Of a 95 % interval over people, the two ends. */
      interval: z.tuple([exponentialSchema, exponentialSchema]).readonly().optional(),
    })
    .optional(),
  /**
   * How much likelier a score is of one person than of two, a table a quality bucket: ln(density among mated / among
   * non-mated pairs). The buckets ascend, the last one has no end.
   */
  likelihood: z
    .array(
      z.strictObject({
        /** Of the lower quality of the two that are compared. */
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

/** What `npm run calibrate:hidden` learned of faces that are hidden in part. */
const hiddenFacesSchema = z.strictObject({
  /** Of a logistic model of the L2-normalised embedding, one a dimension. */
  weights: z.array(z.number()).readonly(),
  bias: z.number(),
  /** Two faces that are both hidden match from this cosine similarity on: as many pairs of two people reach it as the usual one. */
  threshold: z.number().optional(),
})

const packSchema = z.strictObject({
  /** Of its folder among the models, too. */
  name: fileName,
  licence: z.string(),
  source: sourceSchema,
  detector: detectorSchema,
  /** Needed where the detector gives no landmarks: 68 points from a squared face crop. */
  landmarker: z
    .strictObject({ decoder: z.literal('points68'), file: fileSchema, input: inputSchema })
    .optional(),
  embedder: z.strictObject({
    file: fileSchema,
    input: inputSchema,
    dimension: z.int().positive().max(maxDimension),
    /**
     * Raw embedding norms: below `low` a crop is no face, or a hopeless one, and is dropped (as the public iQIYI-VID
     * recipes do); from there to `high` quality's norm term rises to 1.
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

/** A set of model files that work together, and how to feed them. */
export interface Pack extends z.infer<typeof packSchema> {
  /** Of an ensemble (`ensembleOf`): the packs whose embedders see each face, and whose folders hold the files. */
  readonly members?: readonly Pack[]
}
export type Calibration = z.infer<typeof calibrationSchema>
export type PackFile = z.infer<typeof fileSchema>
export type PackSource = z.infer<typeof sourceSchema>
export type DetectorSpec = z.infer<typeof detectorSchema>
export type LandmarkerSpec = NonNullable<Pack['landmarker']>
export type EmbedderSpec = Pack['embedder']

/** Checks a pack; throws PACK_INVALID that lists every field that is wrong. */
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

/** Reads a pack that a user wrote as JSON; a source folder is taken relative to the file. */
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
  /** Of the file, among the models. */
  readonly folder: string
}

/** Its models in the order of their use: each file and what it is fed. */
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
