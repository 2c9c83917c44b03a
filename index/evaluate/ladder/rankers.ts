import { CameoError } from '../../../pipeline/common/errors.js'
import { throwIfStopped } from '../../../pipeline/common/stop.js'
import { poolTracks } from '../../../pipeline/training/face-columns.js'
import { readHeadBytes } from '../../../pipeline/describe/head/head-file.js'
import { loadHead } from '../../../pipeline/training/trained-head.js'
import { inputDimension } from '../../../pipeline/describe/pooled-input.js'
import type { SessionOptions } from '../../../pipeline/models/session.js'
import { galleryQueries, searchExactly, searchThroughIndex } from './descriptor-search.js'
import type { EnsembleMember } from './ensemble.js'
import type { EvaluationSet } from '../datasets/evaluation-set.js'
import type { LabelledHalf } from '../datasets/labelled-halves.js'
import { columnsForHead, type FeatureSet } from '../data/feature-set.js'
import { rankClips, scoreByHeads, type ScoringHead } from './scorer.js'
import type { GroundTruth, RankedClips } from '../data/rankings.js'
import { readHeadMetadata } from '../../../pipeline/describe/head/head-metadata.js'

export interface RankOptions {
  readonly session: Pick<SessionOptions, 'device' | 'intraOpThreads'>
  /** Use exact search instead of the vector index. */
  readonly isExact?: boolean
  readonly signal?: AbortSignal | undefined
}

/** A method to know identities and to rank clips for them. */
export interface Ranker {
  /** In words. */
  readonly how: string
  /** The identities with their clips, if they are known by clips. */
  readonly gallery: GroundTruth
  rank(set: TestedSet): Promise<{
    readonly ranked: readonly RankedClips[]
    /** The result of exact search, if `ranked` used the vector index. */
    readonly exact?: readonly RankedClips[]
  }>
}

/** A set and the labelled half to score. */
export type TestedSet = EvaluationSet & { readonly test: LabelledHalf }

export function rankByGallery(options: RankOptions, gallery: GroundTruth): Ranker {
  return {
    how: 'similarity to the gallery',
    gallery,
    rank: (set) => rankByQueries(options, set, galleryQueries(descriptorRowsOf(set), set.galleryTracks)),
  }
}

/** @throws USAGE if no name is enrolled */
export function rankByNames(options: RankOptions, enrolled: ReadonlyMap<string, Float32Array>): Ranker {
  if (enrolled.size === 0)
    throw new CameoError(
      'USAGE',
      'no name is enrolled, and no gallery or head is given: enroll names, or give a gallery or a head',
      { details: { remedy: 'give-identities' } },
    )
  return {
    how: 'similarity to the enrolled faces',
    gallery: withoutClips(enrolled.keys()),
    rank(set) {
      const queries = new Float32Array(enrolled.size * set.dimension)
      for (const [at, query] of [...enrolled.values()].entries()) queries.set(query, at * set.dimension)
      return rankByQueries(options, set, queries)
    },
  }
}

async function rankByQueries(
  { session, isExact = false, signal }: RankOptions,
  set: TestedSet,
  queries: Float32Array,
) {
  const rows = descriptorRowsOf(set)
  const exact = await searchExactly(rows, queries, set.testPool, session)
  throwIfStopped(signal, 'the evaluation')
  return { exact, ranked: isExact ? exact : await searchThroughIndex(rows, queries, set.testPool) }
}

const descriptorRowsOf = (set: EvaluationSet) => ({
  ...set.features,
  ...{ dimension: set.dimension, vectors: set.pooled },
})

/** Normalised like the ground truth (NFC). */
const withoutClips = (identities: Iterable<string>): GroundTruth =>
  new Map([...identities].map((identity) => [identity.normalize('NFC'), new Set<string>()]))

/** @throws HEAD_INVALID, HEAD_OTHER_EMBEDDER */
export async function rankByHeads(
  { session }: RankOptions,
  members: readonly Pick<EnsembleMember, 'file' | 'weight'>[],
  features: FeatureSet,
): Promise<Ranker> {
  const heads: ScoringHead[] = []
  let known: readonly string[] | undefined
  for (const { file, weight } of members) {
    const onnx = await readHeadBytes(file)
    const metadata = await readHeadMetadata(file, onnx)
    if (metadata === undefined)
      throw new CameoError(
        'HEAD_INVALID',
        `${file} names no classes; give a head that was trained to classify people`,
        { details: { remedy: 'train-head', path: file } },
      )
    const { classes, embedders } = metadata
    const faces = columnsForHead(features, embedders, file)
    known ??= classes
    if (JSON.stringify(known) !== JSON.stringify(classes))
      throw new CameoError(
        'HEAD_INVALID',
        `${file} and ${members[0]?.file ?? ''} have different classes: heads in an ensemble must know the same people`,
      )
    const dimension = inputDimension(faces.columns)
    heads.push({
      head: await loadHead(file, onnx, dimension, session),
      rows: { dimension, pooled: poolTracks(faces, 'quality'), clips: faces.trackClips },
      weight,
    })
  }
  const classes = known ?? []
  return {
    how: `classes of ${members.map(({ file }) => file).join(', ')}`,
    gallery: withoutClips(classes),
    async rank({ testPool }) {
      const ranked = await rankClips(scoreByHeads(heads, classes.length), features.clipNames, testPool)
      for (const opened of heads) await opened.head.dispose()
      return { ranked }
    },
  }
}
