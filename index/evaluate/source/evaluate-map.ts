import { throwIfStopped } from '../../../pipeline/common/stop.js'
import type { SessionOptions } from '../../../pipeline/models/session.js'
import { headSettingsSchema } from '../../../pipeline/training/train-head.js'
import type { RankedClips } from '../data/rankings.js'
import { indexClipNames } from '../datasets/clip-names.js'
import { createEvaluationSet } from '../datasets/evaluation-set.js'
import type { PoolChoice } from '../datasets/pools.js'
import { readEnsemble } from '../ladder/ensemble.js'
import { mapOf, measureRankings } from '../ladder/measure-rankings.js'
import { rankByGallery, rankByHeads, rankByNames, type Ranker, type TestedSet } from '../ladder/rankers.js'
import { bootstrapMean, type Interval } from '../metrics/bootstrap.js'
import { meanAveragePrecision, type IdentityScore } from '../metrics/mean-average-precision.js'
import { labelReader, suspectWarnings, type Source } from './evaluation-source.js'

export interface MapRequest {
  /** The data to evaluate. */
  readonly groundTruth: string
  /** Example clips of each identity. Default: the enrolled names. */
  readonly gallery?: string | undefined
  /** Clips of a further list. They are not ranked. */
  readonly val?: string | undefined
  readonly pool: PoolChoice
  /** Score by the classes of these heads, instead of similarity to the gallery. */
  readonly head?: readonly string[] | undefined
  /** Score by the heads declared in this JSON file. */
  readonly ensemble?: string | undefined
  /** Use exact search instead of the vector index. Default: false. */
  readonly exact?: boolean
  readonly session: Pick<SessionOptions, 'device' | 'intraOpThreads'>
  /** Stops before the next step: reading, ranking, and ranking through the index. */
  readonly signal?: AbortSignal | undefined
}

export interface MapResult {
  /** Includes the warnings of reading, pool and answer. */
  readonly set: TestedSet
  /** How identities are known, in words. */
  readonly how: string
  /** Best first, one list per identity of the test half. */
  readonly ranked: readonly RankedClips[]
  readonly scores: readonly IdentityScore[]
  /** MAP@100, 0..1, with its 95 % interval over identities. */
  readonly map: number
  readonly ci95: Interval
  /** The result of exact search, if the answer used the vector index. */
  readonly exactMap: number | undefined
}

/** True if scoring needs the embeddings of further embedders. */
export const scoresByHeads = ({ head, ensemble }: Pick<MapRequest, 'head' | 'ensemble'>) =>
  head !== undefined || ensemble !== undefined

/**
 * MAP@100 as in iQIYI-VID: for each identity the best 100 clips, against ground truth.
 * @throws GROUND_TRUTH_INVALID, EVALUATION_INVALID, ENSEMBLE_INVALID, HEAD_INVALID, HEAD_OTHER_EMBEDDER, INTERRUPTED;
 * USAGE if the request does not say how identities are known
 */
export async function evaluateMap(source: Source, request: MapRequest): Promise<MapResult> {
  const { set: read, ranker } = await readSet(source, request)
  throwIfStopped(request.signal, 'the evaluation')
  const { ranked, exact } = await ranker.rank(read)
  const set = { ...read, warnings: [...read.warnings, ...suspectWarnings(read, ranked)] }
  const scores = measureRankings(set, set.test, ranked)
  return {
    ...{ set, ranked, scores, how: ranker.how },
    map: meanAveragePrecision(scores),
    ci95: bootstrapMean(scores.map((score) => score.averagePrecision)),
    exactMap: exact === undefined ? undefined : mapOf(set, set.test, exact),
  }
}

async function readSet(
  source: Source,
  request: MapRequest,
): Promise<{ readonly set: TestedSet; readonly ranker: Ranker }> {
  const hasHeads = scoresByHeads(request)
  const { exact: isExact = false, session, val, signal } = request
  const labels = labelReader(indexClipNames(source.paths))
  const gallery = request.gallery === undefined ? undefined : labels.read(request.gallery)
  const how = { session, isExact, signal }
  const ranker = hasHeads
    ? await rankByHeads(how, headsOf(request), source.features)
    : gallery !== undefined
      ? rankByGallery(how, gallery)
      : rankByNames(how, source.enrolled().pooled)
  const evaluation = createEvaluationSet({
    ...source,
    gallery: ranker.gallery,
    ...(hasHeads && gallery !== undefined ? { trainedOn: gallery } : {}),
    ...(val === undefined ? {} : { val: labels.read(val) }),
    test: labels.read(request.groundTruth),
    pool: request.pool,
  })
  const { test } = evaluation
  if (test === undefined) throw new Error('the ground truth is the test half')
  const unknown =
    hasHeads && gallery === undefined
      ? ['the training clips of the heads are not known and may be ranked: give them as the gallery']
      : []
  const warnings = [...labels.warnings, ...evaluation.warnings, ...unknown]
  return { ranker, set: { ...evaluation, test, warnings } }
}

const headsOf = ({ head = [], ensemble }: MapRequest) =>
  ensemble === undefined
    ? head.map((file) => ({ file, weight: 1 }))
    : readEnsemble(ensemble, headSettingsSchema.parse({}))
