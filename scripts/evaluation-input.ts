import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Option, type Command } from 'commander'
import { openArchive } from '../index/archive.js'
import { readArchiveFeatures, type ArchiveFeatures } from '../index/evaluate/archive-features.js'
import { indexClipNames } from '../index/evaluate/clip-names.js'
import { readContextRows, type ContextRows } from '../index/evaluate/context-head.js'
import { createEvaluationSet, type EvaluationSet } from '../index/evaluate/evaluation-set.js'
import type { FeatureSet } from '../index/evaluate/feature-set.js'
import { readFeatureSet } from '../index/evaluate/formats/read-feature-set.js'
import { readGroundTruth } from '../index/evaluate/ground-truth.js'
import { CameoError, messageOf } from '../pipeline/errors.js'
import { headSettingsSchema, type HeadSettings } from '../pipeline/head/train-head.js'
import { z } from 'zod'
import { note } from './output.js'
import { numberWithin } from './options.js'

/** Where features come from, for commands that evaluate or train. */
export interface SourceOptions {
  readonly archive?: string
  readonly features?: readonly string[]
}

export function withSourceOptions(command: Command): Command {
  return command
    .addOption(
      new Option('-a, --archive <dir>', 'archive with the clips (default: ./cameo-data)')
        .env('CAMEO_ARCHIVE')
        .argParser((dir: string) => resolve(dir)),
    )
    .addOption(
      new Option(
        '--features <files...>',
        'feature files (.pickle, .npz, .npy) in place of an archive',
      ).conflicts('archive'),
    )
}

export interface Source {
  readonly features: FeatureSet
  readonly paths: readonly (readonly string[])[]
  readonly context: ContextRows | undefined
  /** Name of what made the embeddings. */
  readonly embedderName: string
  /** JPEG of the best track of each clip that is asked for, by its file name. */
  readonly thumbnails: (clipNames: readonly string[]) => ReadonlyMap<string, Uint8Array>
}

export async function readSource({ archive: dir, features: files }: SourceOptions): Promise<Source> {
  if (files !== undefined) {
    const features = await readFeatureSet(files)
    const paths = features.clipNames.map((name) => [name])
    return {
      features,
      paths,
      context: undefined,
      embedderName: features.embedder,
      thumbnails: () => new Map(),
    }
  }
  const archive = openArchive(dir ?? resolve('./cameo-data'))
  try {
    const features = readArchiveFeatures(archive)
    const encoder = archive.recipe?.features?.find(({ kind }) => kind === 'context')
    const context =
      encoder === undefined
        ? undefined
        : readContextRows(archive, encoder.digest, encoder.dimension, features.clipIds)
    const thumbnails = (names: readonly string[]) => readThumbnails(archive.dir, features, names)
    return {
      features,
      paths: features.paths,
      context,
      embedderName: archive.recipe?.packName ?? '',
      thumbnails,
    }
  } finally {
    archive.close()
  }
}

function readThumbnails(
  dir: string,
  { clipIds, paths }: ArchiveFeatures,
  names: readonly string[],
): ReadonlyMap<string, Uint8Array> {
  const archive = openArchive(dir)
  try {
    const select = archive.database
      .prepare<[string], Uint8Array>(
        'SELECT jpeg FROM tracks JOIN thumbnails USING (track_id) WHERE clip_id = ? ORDER BY quality DESC LIMIT 1',
      )
      .pluck()
    const known = indexClipNames(paths)
    return new Map(
      names.flatMap((name) => {
        const [clip] = known.find(name)
        const jpeg = clip === undefined ? undefined : select.get(clipIds[clip] ?? '')
        return jpeg === undefined ? [] : [[name, jpeg]]
      }),
    )
  } finally {
    archive.close()
  }
}

export interface LabelOptions {
  readonly gallery: string
  readonly val?: string
  readonly groundTruth?: string
  readonly noise?: string
}

export function evaluationSetOf(source: Source, options: LabelOptions): EvaluationSet {
  const warnings: string[] = []
  const read = (file: string) => {
    const parsed = readGroundTruth(file)
    warnings.push(...parsed.warnings)
    return parsed.groundTruth
  }
  const set = createEvaluationSet({
    ...source,
    gallery: read(options.gallery),
    ...(options.val === undefined ? {} : { val: read(options.val) }),
    ...(options.groundTruth === undefined ? {} : { test: read(options.groundTruth) }),
    ...(options.noise === undefined ? {} : { noise: readNames(options.noise) }),
  })
  for (const warning of [...warnings, ...set.warnings]) note(warning)
  return { ...set, warnings: [...warnings, ...set.warnings] }
}

/** A clip's name a line. */
function readNames(file: string): string[] {
  try {
    return readFileSync(file, 'utf8')
      .split(/\r?\n/)
      .map((line) => line.trim().split(/\s+/)[0] ?? '')
      .filter((name) => name !== '')
  } catch (cause) {
    throw new CameoError('GROUND_TRUTH_INVALID', `the list ${file} cannot be read: ${messageOf(cause)}`, {
      cause,
    })
  }
}

/** The options of training, as commander gives them. */
export interface TrainingOptions {
  readonly loss?: string
  readonly scale?: number
  readonly network?: 'residual' | 'paper'
  readonly width?: number
  readonly depth?: number
  readonly activation?: 'prelu' | 'relu' | 'silu'
  readonly dropout?: number
  readonly optimizer?: 'sgd' | 'adam'
  readonly learningRate?: number
  readonly weightDecay?: number
  readonly schedule?: 'cosine' | 'step' | 'constant'
  readonly epochs?: number
  readonly batch?: number
  readonly facesPerSample?: string
  readonly embeddingNoise?: number
  readonly balanced?: boolean
  readonly patience?: number
  readonly seed?: number
}

export function withTrainingOptions(command: Command): Command {
  const number = (flags: string, text: string, low: number, high: number, kind: 'any' | 'integer' = 'any') =>
    new Option(flags, text).argParser(numberWithin(low, high, kind))
  return command
    .addOption(
      new Option(
        '--loss <loss>',
        'softmax, norm-softmax, arcface, cosface, sphereface, cm1, cm2, intra, inter, triplet; NAME:MARGIN; sums with + (default: arcface:0.3)',
      ),
    )
    .addOption(number('--scale <s>', 'factor of the cosines (default: 20)', 1, 256))
    .addOption(
      new Option('--network <kind>', 'the layers (default: residual)').choices(['residual', 'paper']),
    )
    .addOption(number('--width <n>', 'of hidden layers (default: 1024)', 1, 16_384, 'integer'))
    .addOption(number('--depth <n>', 'hidden layers (default: 1)', 1, 8, 'integer'))
    .addOption(new Option('--activation <name>', '(default: prelu)').choices(['prelu', 'relu', 'silu']))
    .addOption(number('--dropout <share>', '(default: 0)', 0, 0.9))
    .addOption(new Option('--optimizer <name>', '(default: adam)').choices(['sgd', 'adam']))
    .addOption(number('--learning-rate <rate>', '(default: 3e-4; sgd: 0.1)', 1e-8, 10))
    .addOption(number('--weight-decay <decay>', '(default: 5e-4)', 0, 1))
    .addOption(new Option('--schedule <name>', '(default: cosine)').choices(['cosine', 'step', 'constant']))
    .addOption(number('--epochs <n>', '(default: 40)', 1, 10_000, 'integer'))
    .addOption(number('--batch <n>', 'samples a step (default: 256)', 2, 65_536, 'integer'))
    .addOption(new Option('--faces-per-sample <list>', 'of a track at random (default: 1,3,5)'))
    .addOption(number('--embedding-noise <length>', 'added to a sample of length 1 (default: 0.3)', 0, 10))
    .addOption(new Option('--balanced', 'every identity equally often'))
    .addOption(
      number(
        '--patience <epochs>',
        'end after so many without a gain on val (default: 0, never)',
        0,
        10_000,
        'integer',
      ),
    )
    .addOption(number('--seed <n>', '(default: 1)', 0, 2 ** 31 - 1, 'integer'))
}

/** Throws USAGE where the options contradict each other. */
export function headSettingsOf(options: TrainingOptions): HeadSettings {
  const { network, width, depth, activation, dropout, weightDecay, embeddingNoise, facesPerSample } = options
  const optimizer = options.optimizer ?? 'adam'
  const given = {
    network: { kind: network, width, depth, activation, dropout },
    loss: options.loss,
    scale: options.scale,
    optimizer: { kind: optimizer, weightDecay },
    learningRate: options.learningRate ?? (optimizer === 'sgd' ? 0.1 : undefined),
    schedule: options.schedule,
    epochs: options.epochs,
    batch: options.batch,
    facesPerSample: facesPerSample?.split(',').map(Number),
    noise: embeddingNoise,
    balanced: options.balanced,
    patience: options.patience,
    seed: options.seed,
  }
  const parsed = headSettingsSchema.safeParse(given)
  if (!parsed.success)
    throw new CameoError('USAGE', `the training options do not fit: ${z.prettifyError(parsed.error)}`)
  return parsed.data
}
