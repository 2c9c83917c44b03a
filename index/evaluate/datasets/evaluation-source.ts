import { resolve } from 'node:path'
import { Option, type Command } from 'commander'
import { openArchive } from '../../archive/open-archive.js'
import { readArchiveFeatures, type ArchiveFeatures, type ReadArchiveOptions } from './archive-features.js'
import { summariseCoverage, type CoverageSum } from '../../coverage/sum-coverage.js'
import { indexClipNames } from './clip-names.js'
import { readContextRows, type ContextRows } from '../ladder/context-head.js'
import { createEvaluationSet, type EvaluationSet } from './evaluation-set.js'
import type { FeatureSet } from '../data/feature-set.js'
import { splitColumns } from '../formats/list-columns.js'
import { readFeatureSet } from '../formats/read-feature-set.js'
import { textLines } from '../formats/text-lines.js'
import { readGroundTruth } from './ground-truth.js'
import type { PoolChoice } from './pools.js'
import type { TestedSet } from '../ladder/rankers.js'
import { suspectClips } from './unlisted-clips.js'
import { listIdentities, referencesOf } from '../../identities/identities.js'
import { isWhole } from '../../store/checksum.js'
import type { Damage } from '../../store/damage.js'
import { poolEmbeddings } from '../../../pipeline/describe/pool.js'
import { counted, pluralOf } from '../../../pipeline/common/counted.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import { coverageLine } from '../../../scripts/reports/coverage-text.js'
import { givenArchiveOption } from '../../../scripts/cli/options.js'
import { tellDamage } from '../../../scripts/reports/damage-report.js'
import { note } from '../../../scripts/cli/output.js'
import type { GroundTruth, RankedClips } from '../data/rankings.js'
import type { ClipNames } from '../data/clip-names.js'

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
  /** Of each enrolled name its faces pooled, by the pack's own embedder; none of feature files. */
  readonly enrolled: () => ReadonlyMap<string, Float32Array>
  /** JPEG of the best track of each clip that is asked for, by its file name. */
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
  const archive = openArchive(dir ?? resolve('./cameo-data'), { onNotice: note })
  try {
    const features = readArchiveFeatures(archive, options)
    const coverage = summariseCoverage(archive)
    const unseen = coverageLine(coverage)
    if (unseen !== undefined) note(unseen)
    tellDamage(archive, features.damage)
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
  const archive = openArchive(dir, { onNotice: note })
  const { database, recipe } = archive
  try {
    return new Map(
      listIdentities(database).map(({ name }) => {
        const tell = (damage: Damage) => void tellDamage(archive, [damage])
        const faces = referencesOf(database, name, recipe?.embedderDigest ?? '', [], tell)
        return [name.normalize('NFC'), poolEmbeddings(faces, faces[0]?.float16.length ?? 0)]
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
  const archive = openArchive(dir, { onNotice: note })
  try {
    const select = archive.database
      .prepare<[string], Uint8Array>(
        `SELECT jpeg FROM tracks JOIN thumbnails USING (track_id)
         WHERE clip_id = ? AND ${isWhole('thumbnails')} ORDER BY quality DESC LIMIT 1`,
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
  readonly pool?: PoolChoice
}

/** Which clips are ranked; said by whoever measures. */
export const poolOption = () =>
  new Option(
    '--pool <clips>',
    'what is ranked: all clips but those of other lists (as iQIYI-VID does: what no list names counts as a stranger), ' +
      'or the listed ones of the ground truth alone',
  )
    .choices(['all', 'listed'])
    .default('all')

/** Reads ground truth of a source's clips. */
export interface LabelReader {
  read(file: string): GroundTruth
  /** What was passed over, in sentences. */
  readonly warnings: readonly string[]
}

export function labelReader(clips: ClipNames): LabelReader {
  const warnings: string[] = []
  return {
    warnings,
    read(file) {
      const parsed = readGroundTruth(file, clips)
      warnings.push(...parsed.warnings)
      return parsed.groundTruth
    },
  }
}

export function evaluationSetOf(source: Source, options: LabelOptions): EvaluationSet {
  const names = indexClipNames(source.paths)
  const labels = labelReader(names)
  const { pool = 'all', val, groundTruth, noise } = options
  const set = createEvaluationSet({
    ...source,
    gallery: labels.read(options.gallery),
    ...(val === undefined ? {} : { val: labels.read(val) }),
    ...(groundTruth === undefined ? {} : { test: labels.read(groundTruth) }),
    ...(noise === undefined ? {} : { noise: readClipList(noise, names) }),
    pool,
  })
  const warnings = [...labels.warnings, ...set.warnings]
  for (const warning of warnings) note(warning)
  return { ...set, warnings }
}

/**
 * A clip's name a line; what follows it is passed over. @throws GROUND_TRUTH_INVALID where no line names a clip that is there
 */
function readClipList(file: string, clips: ClipNames): string[] {
  const names = [...textLines(file, 'GROUND_TRUTH_INVALID')].flatMap((line) => {
    const whole = line.trim()
    const [first = ''] = splitColumns(whole, whole.includes(',') ? ',' : 'blanks')
    return whole === '' ? [] : [clips.find(whole).length > 0 ? whole : first]
  })
  const unknown = names.filter((name) => clips.find(name).length === 0)
  const [example = ''] = unknown
  if (unknown.length > 0 && unknown.length === names.length)
    throw new CameoError(
      'GROUND_TRUTH_INVALID',
      `none of the ${counted(names.length, 'clip')} that ${file} names is there: it names ${example}; there are ${clips.examples.join(', ')}`,
    )
  if (unknown.length > 0)
    note(
      `${counted(unknown.length, 'clip')} that ${file} names ${pluralOf(unknown.length, 'is', 'are')} not there (${example})`,
    )
  return names
}

/** Suspects that a message names. */
const shownSuspects = 3

/** Tells, and gives as a warning, that clips in no list may show listed people. */
export function tellSuspects(set: TestedSet, ranked: readonly RankedClips[]): readonly string[] {
  const suspects = suspectClips(set, set.test, ranked)
  if (suspects.length === 0) return []
  const some = suspects.slice(0, shownSuspects).map(({ identity, clip }) => `${clip} for ${identity}`)
  const warning =
    `${counted(suspects.length, 'clip')} in no list ${pluralOf(suspects.length, 'scores', 'score')} as high as an identity's own clips ` +
    `(${some.join(', ')}${suspects.length > some.length ? ', …' : ''}). Where such a clip shows a listed person it counts as wrong all the same: ` +
    `name it in a list, leave it out by --val, or rank listed clips alone with --pool listed`
  note(warning)
  return [warning]
}
