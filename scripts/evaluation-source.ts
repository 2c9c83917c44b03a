import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Option, type Command } from 'commander'
import { openArchive } from '../index/archive.js'
import {
  readArchiveFeatures,
  type ArchiveFeatures,
  type ReadArchiveOptions,
} from '../index/evaluate/archive-features.js'
import { summariseCoverage, type CoverageSum } from '../index/coverage/sum-coverage.js'
import { indexClipNames } from '../index/evaluate/clip-names.js'
import { readContextRows, type ContextRows } from '../index/evaluate/context-head.js'
import { createEvaluationSet, type EvaluationSet } from '../index/evaluate/evaluation-set.js'
import type { FeatureSet } from '../index/evaluate/feature-set.js'
import { readFeatureSet } from '../index/evaluate/formats/read-feature-set.js'
import { readGroundTruth } from '../index/evaluate/ground-truth.js'
import { listIdentities, referencesOf } from '../index/identities.js'
import { poolEmbeddings } from '../pipeline/describe/pool.js'
import { CameoError, messageOf } from '../pipeline/errors.js'
import { coverageLine } from './coverage-text.js'
import { givenArchiveOption } from './options.js'
import { note } from './output.js'

/** Where features come from, for commands that evaluate or train. */
export interface SourceOptions {
  readonly archive?: string
  readonly features?: readonly string[]
}

export function withSourceOptions(command: Command): Command {
  return command
    .addOption(givenArchiveOption('archive with the clips (default: ./cameo-data)'))
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
  /** How much of the archive was looked at; null of feature files. */
  readonly coverage: CoverageSum | null
  /** JPEG of the best track of each clip that is asked for, by its file name. */
  /** Of each enrolled name its faces pooled, by the pack's own embedder; none of feature files. */
  readonly enrolled: () => ReadonlyMap<string, Float32Array>
  readonly thumbnails: (clipNames: readonly string[]) => ReadonlyMap<string, Uint8Array>
}

/** @param options of an archive; feature files are of one embedder */
export async function readSource(
  { archive: dir, features: files }: SourceOptions,
  options: ReadArchiveOptions = {},
): Promise<Source> {
  if (files !== undefined) {
    const features = await readFeatureSet(files)
    const paths = features.clipNames.map((name) => [name])
    const none = { context: undefined, coverage: null }
    return { features, paths, ...none, enrolled: () => new Map(), thumbnails: () => new Map() }
  }
  const archive = openArchive(dir ?? resolve('./cameo-data'))
  try {
    const features = readArchiveFeatures(archive, options)
    const coverage = summariseCoverage(archive)
    const unseen = coverageLine(coverage)
    if (unseen !== undefined) note(unseen)
    const encoder = archive.recipe?.features?.find(({ kind }) => kind === 'context')
    const context =
      encoder === undefined
        ? undefined
        : readContextRows(archive, encoder.digest, encoder.dimension, features.clipIds)
    const thumbnails = (names: readonly string[]) => readThumbnails(archive.dir, features, names)
    const enrolled = () => readEnrolled(archive.dir)
    return { features, paths: features.paths, context, coverage, enrolled, thumbnails }
  } finally {
    archive.close()
  }
}

function readEnrolled(dir: string): ReadonlyMap<string, Float32Array> {
  const archive = openArchive(dir)
  const { database, recipe } = archive
  try {
    return new Map(
      listIdentities(database).map(({ name }) => {
        const faces = referencesOf(database, name, recipe?.embedderDigest ?? '')
        return [name, poolEmbeddings(faces, faces[0]?.float16.length ?? 0)]
      }),
    )
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
