import { openArchive } from '../../archive/open-archive.js'
import {
  readArchiveFeatures,
  type ArchiveFeatures,
  type ReadArchiveOptions,
} from '../datasets/archive-features.js'
import { summariseCoverage, type CoverageSum } from '../../coverage/sum-coverage.js'
import { indexClipNames } from '../datasets/clip-names.js'
import { readContextRows, type ContextRows } from '../ladder/context-head.js'
import { createEvaluationSet, type EvaluationSet } from '../datasets/evaluation-set.js'
import type { FeatureSet } from '../data/feature-set.js'
import { splitColumns } from '../formats/list-columns.js'
import { readFeatureSet } from '../formats/read-feature-set.js'
import { textLines } from '../formats/text-lines.js'
import { readGroundTruth } from '../datasets/ground-truth.js'
import type { PoolChoice } from '../datasets/pools.js'
import type { TestedSet } from '../ladder/rankers.js'
import { suspectClips } from '../datasets/unlisted-clips.js'
import { referencesOf } from '../../identities/identities.js'
import { listIdentities } from '../../store/identities.js'
import type { Damage } from '../../store/damage.js'
import { bestThumbnailReader } from '../../store/stored-tracks.js'
import { poolEmbeddings } from '../../../pipeline/describe/pool.js'
import { counted, pluralOf } from '../../../pipeline/common/counted.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import { noteDamage, type DamagedThing } from '../../archive/damaged-things.js'
import type { GroundTruth, RankedClips } from '../data/rankings.js'
import type { ClipNames } from '../data/clip-names.js'

/** The source of features: the folder of an archive, or feature files. */
export type SourceFiles = { readonly archive: string } | { readonly features: readonly string[] }

export interface Source {
  readonly features: FeatureSet
  readonly paths: readonly (readonly string[])[]
  readonly context: ContextRows | undefined
  /** How much of the archive was examined. Null for feature files. */
  readonly coverage: CoverageSum | null
  /** Parts of the archive that are damaged and were skipped. */
  readonly damaged: readonly DamagedThing[]
  /** The pooled faces of each enrolled name, by the pack's own embedder. Empty for feature files. */
  readonly enrolled: () => EnrolledNames
  /** Returns a JPEG of the best track of a clip, by file name. */
  readonly thumbnails: (clipNames: readonly string[]) => ReadonlyMap<string, Uint8Array>
}

export interface EnrolledNames {
  /** By name (NFC). */
  readonly pooled: ReadonlyMap<string, Float32Array>
  readonly damaged: readonly DamagedThing[]
}

/** @param options for an archive; feature files have only one embedder */
export async function readSource(
  files: SourceFiles,
  options: ReadArchiveOptions,
  notify: (notice: string) => void,
): Promise<Source> {
  if ('features' in files) {
    const features = await readFeatureSet(files.features)
    const paths = features.clipNames.map((name) => [name])
    const none = { context: undefined, coverage: null, damaged: [] }
    const enrolled = () => ({ pooled: new Map<string, Float32Array>(), damaged: [] })
    return { features, paths, ...none, enrolled, thumbnails: () => new Map() }
  }
  const archive = openArchive(files.archive, { onNotice: notify })
  try {
    const features = readArchiveFeatures(archive, options)
    const coverage = summariseCoverage(archive)
    const damaged = noteDamage(archive, features.damage, notify)
    const encoder = archive.recipe?.features?.find(({ kind }) => kind === 'context')
    const context =
      encoder === undefined
        ? undefined
        : readContextRows(archive, encoder.digest, encoder.dimension, features.clipIds)
    const thumbnails = (names: readonly string[]) => readThumbnails(archive.dir, features, names)
    const enrolled = () => readEnrolled(archive.dir, notify)
    return { features, paths: features.paths, context, coverage, damaged, enrolled, thumbnails }
  } finally {
    archive.close()
  }
}

function readEnrolled(dir: string, notify: (notice: string) => void): EnrolledNames {
  const archive = openArchive(dir)
  const { database, recipe } = archive
  const damage: Damage[] = []
  try {
    const pooled = new Map<string, Float32Array>()
    for (const { name } of listIdentities(database))
      try {
        const faces = referencesOf(database, name, recipe?.embedderDigest ?? '', [], (found) =>
          damage.push(found),
        )
        pooled.set(name.normalize('NFC'), poolEmbeddings(faces, faces[0]?.float16.length ?? 0))
      } catch (error) {
        // It was enrolled with other models.
        if (!(error instanceof CameoError) || error.code !== 'NAME_UNKNOWN') throw error
        notify(`${error.message}; the name is left out`)
      }
    return { pooled, damaged: noteDamage(archive, damage, notify) }
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
    const thumbnailOf = bestThumbnailReader(archive.database)
    const known = indexClipNames(paths)
    return new Map(
      names.flatMap((name) => {
        const [clip] = known.find(name)
        const jpeg = clip === undefined ? undefined : thumbnailOf(clipIds[clip] ?? '')
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

/** Reads the ground truth for the clips of a source. */
export interface LabelReader {
  read(file: string): GroundTruth
  /** Sentences about ignored lines. */
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
  const clips = noise === undefined ? { names: [], warnings: [] } : readClipList(noise, names)
  const set = createEvaluationSet({
    ...source,
    gallery: labels.read(options.gallery),
    ...(val === undefined ? {} : { val: labels.read(val) }),
    ...(groundTruth === undefined ? {} : { test: labels.read(groundTruth) }),
    ...(noise === undefined ? {} : { noise: clips.names }),
    pool,
  })
  return { ...set, warnings: [...labels.warnings, ...clips.warnings, ...set.warnings] }
}

/**
 * Reads a list with one clip name per line. Ignores further columns.
 * @throws GROUND_TRUTH_INVALID if no line names an existing clip
 */
function readClipList(
  file: string,
  clips: ClipNames,
): { readonly names: string[]; readonly warnings: readonly string[] } {
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
  if (unknown.length === 0) return { names, warnings: [] }
  const warning = `${counted(unknown.length, 'clip')} that ${file} names ${pluralOf(unknown.length, 'is', 'are')} not there (${example})`
  return { names, warnings: [warning] }
}

/** Number of suspects in a message. */
const shownSuspects = 3

/** Warnings about unlisted clips that may show listed people. */
export function suspectWarnings(set: TestedSet, ranked: readonly RankedClips[]): readonly string[] {
  const suspects = suspectClips(set, set.test, ranked)
  if (suspects.length === 0) return []
  const some = suspects.slice(0, shownSuspects).map(({ identity, clip }) => `${clip} for ${identity}`)
  const warning =
    `${counted(suspects.length, 'clip')} in no list ${pluralOf(suspects.length, 'scores', 'score')} as high as an identity's own clips ` +
    `(${some.join(', ')}${suspects.length > some.length ? ', …' : ''}). If such a clip shows a listed person, it still counts as wrong: ` +
    `name it in a list, or in the val list, or rank only the listed clips`
  return [warning]
}
