import type { HeadSettings } from '../../pipeline/head/train-head.js'
import { bootstrapMean, pairedDifference, type Difference, type Interval } from './bootstrap.js'
import { trainContext, type ContextRows } from './context-head.js'
import {
  galleryQueries,
  searchExactly,
  searchThroughIndex,
  type DescriptorRows,
} from './descriptor-search.js'
import { clipCentres, type EvaluationSet, type LabelledHalf } from './evaluation-set.js'
import {
  measureOpenSet,
  pooledTracks,
  trainOnSet,
  type OpenSetResult,
  type TrainOptions,
} from './head-training.js'
import { meanAveragePrecision, type IdentityScore } from './map.js'
import { mapOf, measureRankings } from './measure-rankings.js'
import type { Pool, RankedClips } from './rank.js'
import { fuseContext, rankClips, scoreByHeads, type ContextFusion, type Scorer } from './scorer.js'

export interface LadderOptions extends Omit<TrainOptions, 'onStep'> {
  readonly settings: HeadSettings
  /** Heads of the ensemble, trained from different seeds. */
  readonly heads: number
  /** What an image encoder saw of each clip; the step is left out where there is none. */
  readonly context?: ContextRows
  /** Told what is done now, and of every step. */
  readonly onNews?: (text: string) => void
}

export interface LadderStep {
  readonly name: string
  readonly map: number
  readonly ci95: Interval
  /** Against the step before, on the same identities. */
  readonly gain: Difference | undefined
  /** On val, by which it was chosen. */
  readonly valMap: number
  /** False where val gained nothing by it: the system stays that of the step before. */
  readonly isTaken: boolean
  readonly note: string | undefined
  readonly scores: readonly IdentityScore[]
  readonly ranked: readonly RankedClips[]
  /** MAP of the same descriptors compared with every row, where the step goes through the vector index. */
  readonly exactMap: number | undefined
}

export interface Ladder {
  readonly steps: readonly LadderStep[]
  readonly openSet: OpenSetResult
}

/** Retrieves clips of a half for every identity. */
type System = (pool: Pool) => Promise<Retrieved>

interface Retrieved {
  readonly ranked: readonly RankedClips[]
  /** Compared with every row, where `ranked` went through the vector index. */
  readonly exact?: readonly RankedClips[]
}

/** A set with both halves labelled. */
export type LadderSet = EvaluationSet & { readonly val: LabelledHalf; readonly test: LabelledHalf }

/**
 * The ladder of the ArcFace paper's iQIYI-VID entry (arXiv 1801.07698, table 9), on one's own data: clip centre, quality
 * pooling of tracks, MLP head, noise class, ensemble, context. Everything is trained on the gallery and chosen by val; each
 * step is scored on test once. A step that does not help on val is not taken.
 */
export async function climbLadder(set: LadderSet, options: LadderOptions): Promise<Ladder> {
  const { settings, onNews, heads: headCount, context, ...training } = options
  const say = onNews ?? (() => undefined)
  const steps: LadderStep[] = []

  async function take(name: string, system: System): Promise<void> {
    const onVal = await system(set.valPool)
    const valMap = mapOf(set, set.val, onVal.ranked)
    const before = steps.at(-1)
    const isTaken = before === undefined || valMap > before.valMap
    const onTest: Retrieved = isTaken ? await system(set.testPool) : { ranked: before.ranked }
    const scores = measureRankings(set, set.test, onTest.ranked)
    const aps = scores.map((score) => score.averagePrecision)
    const gain =
      before === undefined
        ? undefined
        : pairedDifference(
            before.scores.map((score) => score.averagePrecision),
            aps,
          )
    const exact = isTaken && onTest.exact !== undefined ? mapOf(set, set.test, onTest.exact) : undefined
    const note = !isTaken
      ? 'gains nothing on val: left out'
      : gain !== undefined && gain.ci95[0] <= 0
        ? gain.ci95[1] < 0
          ? 'loses'
          : 'gains nothing beyond its confidence interval'
        : undefined
    steps.push({
      name,
      map: meanAveragePrecision(scores),
      ci95: bootstrapMean(aps),
      gain,
      valMap: isTaken ? valMap : before.valMap,
      isTaken,
      note,
      scores,
      ranked: onTest.ranked,
      exactMap: exact,
    })
    say(
      `${name}: MAP ${(100 * (steps.at(-1)?.map ?? 0)).toFixed(2)} (val ${(100 * valMap).toFixed(2)})${note === undefined ? '' : `, ${note}`}`,
    )
  }

  const { features } = set
  const clipRows: DescriptorRows = {
    dimension: features.dimension,
    vectors: clipCentres(set),
    trackClips: Int32Array.from(features.clipNames.keys()),
    clipNames: features.clipNames,
  }
  await take('clip centre', descriptorSystem(clipRows, set.galleryClips, training.session))
  await take(
    'quality pooling',
    descriptorSystem({ ...features, vectors: set.pooled }, set.galleryTracks, training.session),
  )

  const headSystem =
    (scorer: Scorer): System =>
    async (pool) => ({
      ranked: await rankClips(scorer, features.clipNames, pool),
    })
  const rows = pooledTracks(set)
  const identities = set.identities.length
  say('training the head')
  const plain = await trainOnSet(set, settings, false, training)
  await take('MLP head', headSystem(scoreByHeads([plain.head], rows, identities)))
  let heads = [plain.head]
  if (set.noiseClips.length > 0) {
    say('training the head with a noise class')
    const noisy = await trainOnSet(set, settings, true, training)
    await take('noise class', headSystem(scoreByHeads([noisy.head], rows, identities)))
    if (steps.at(-1)?.isTaken === true) heads = [noisy.head]
    else await noisy.head.dispose()
    if (heads[0] === noisy.head) await plain.head.dispose()
  }
  const withNoise = steps.at(-1)?.name === 'noise class' && steps.at(-1)?.isTaken === true
  const members = [...heads]
  for (let k = 1; k < headCount; k++) {
    say(`training head ${k + 1} of ${headCount}`)
    members.push((await trainOnSet(set, { ...settings, seed: settings.seed + k }, withNoise, training)).head)
  }
  if (members.length > 1) {
    await take(`ensemble of ${members.length} heads`, headSystem(scoreByHeads(members, rows, identities)))
    if (steps.at(-1)?.isTaken === true) heads = members
  }
  if (context !== undefined) {
    say('training the context head')
    const seen = await trainContext(set, context, settings, training)
    const faces = scoreByHeads(heads, rows, identities)
    const fuse = (fusion: ContextFusion) => fuseContext(faces, seen.scores, seen.clipQuality, fusion)
    const fusion = await chooseFusion(fuse, async (scorer) =>
      mapOf(set, set.val, await rankClips(scorer, features.clipNames, set.valPool)),
    )
    await take('context', headSystem(fuse(fusion)))
  }
  for (const head of new Set([...heads, ...members])) await head.dispose()
  say('measuring people absent from training')
  const openSet = await measureOpenSet(set, settings, training)
  return { steps, openSet }
}

function descriptorSystem(
  rows: DescriptorRows,
  gallery: readonly (readonly number[])[],
  session: TrainOptions['session'],
): System {
  const queries = galleryQueries(rows, gallery)
  return async (pool) => ({
    ranked: searchThroughIndex(rows, queries, pool),
    exact: await searchExactly(rows, queries, pool, session),
  })
}

const weights = [0, 0.05, 0.1, 0.2, 0.4] as const
const alone = [0.25, 0.5, 1] as const
const offsets = [-12, -9, -6, -4, -2, -1, 0] as const

/** By val: first how much the context counts beside a face, then where clips without one belong. */
async function chooseFusion(
  fuse: (fusion: ContextFusion) => Scorer,
  valMapOf: (scorer: Scorer) => Promise<number>,
): Promise<ContextFusion> {
  let best: ContextFusion = { weight: 0, alone: 0, offset: Number.NEGATIVE_INFINITY }
  let bestMap = -1
  const look = async (fusion: ContextFusion) => {
    const map = await valMapOf(fuse(fusion))
    if (map <= bestMap) return
    bestMap = map
    best = fusion
  }
  for (const weight of weights) await look({ weight, alone: 0, offset: Number.NEGATIVE_INFINITY })
  const { weight } = best
  for (const own of alone) for (const offset of offsets) await look({ weight, alone: own, offset })
  return best
}
