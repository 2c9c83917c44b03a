import type { HeadSettings } from '../../../pipeline/training/train-head.js'
import { trainContext, type ContextRows } from './context-head.js'
import {
  galleryQueries,
  searchExactly,
  searchThroughIndex,
  type DescriptorRows,
} from './descriptor-search.js'
import { setOfMember, type EnsembleMember } from './ensemble.js'
import { clipCentres, withColumns, type EvaluationSet } from '../datasets/evaluation-set.js'
import {
  measureOpenSet,
  trainOnSet,
  type OpenSetResult,
  type TrainedOnSet,
  type TrainOptions,
} from './head-training.js'
import { measureStep, type LadderSet, type LadderStep, type System } from './ladder-steps.js'
import { mapOf } from './measure-rankings.js'
import { fuseContext, rankClips, scoreByHeads, type ContextFusion, type Scorer } from './scorer.js'
import { counted } from '../../../pipeline/common/counted.js'

export interface LadderOptions extends Omit<TrainOptions, 'onStep'> {
  readonly settings: HeadSettings
  /** Heads of the ensemble: so many of different seeds, or those that are declared. */
  readonly ensemble: number | readonly Pick<EnsembleMember, 'settings' | 'embedders' | 'fold' | 'weight'>[]
  /** What an image encoder saw of each clip; the step is left out where there is none. */
  readonly context?: ContextRows
  /** Told what is done now, and of every step. */
  readonly onNews?: (text: string) => void
}

export interface Ladder {
  readonly steps: readonly LadderStep[]
  /** Undefined where there are too few people. */
  readonly openSet: OpenSetResult | undefined
}

/** What has won so far. */
interface Chosen {
  readonly heads: readonly TrainedOnSet[]
  readonly set: EvaluationSet
  readonly hasNoise: boolean
}

/**
 * The ladder of the ArcFace paper's iQIYI-VID entry (arXiv 1801.07698, table 9), on one's own data: clip centre, quality
 * pooling of tracks, MLP head, noise class, ensemble of embedders and of heads, context. Everything is trained on the gallery
 * and chosen by val; each step is scored on test once. A step that does not help on val is not taken. The first steps are of
 * the set's first embedder.
 */
export async function climbLadder(set: LadderSet, options: LadderOptions): Promise<Ladder> {
  const { settings, onNews, ensemble, context, ...training } = options
  const say = onNews ?? (() => undefined)
  const steps: LadderStep[] = []
  const base = withColumns(set, set.features.columns.slice(0, 1))
  const identities = set.identities.length
  const { clipNames } = set.features

  async function take(name: string, system: System): Promise<boolean> {
    const step = await measureStep(set, steps.at(-1), name, system)
    steps.push(step)
    const note = step.note === undefined ? '' : `, ${step.note}`
    say(`${name}: MAP ${percent(step.map)} (val ${percent(step.valMap)})${note}`)
    return step.isTaken
  }
  const byScores =
    (scorer: Scorer): System =>
    async (pool) => ({ ranked: await rankClips(scorer, clipNames, pool) })
  const byHeads = (heads: readonly TrainedOnSet[]) => byScores(scoreByHeads(heads, identities))

  const clipRows = {
    ...{ dimension: base.dimension, vectors: clipCentres(base) },
    ...{ trackClips: Int32Array.from(clipNames.keys()), clipNames },
  }
  await take('clip centre', descriptorSystem(clipRows, set.galleryClips, training.session))
  const trackRows = { ...base.features, dimension: base.dimension, vectors: base.pooled }
  await take('quality pooling', descriptorSystem(trackRows, set.galleryTracks, training.session))

  const trained: TrainedOnSet[] = []
  const train = async (on: EvaluationSet, own: HeadSettings, hasNoise: boolean, what: string) => {
    say(`training ${what}`)
    const head = await trainOnSet(on, own, hasNoise, training)
    trained.push(head)
    return head
  }
  try {
    const plain = await train(base, settings, false, 'the head')
    await take('MLP head', byHeads([plain]))
    let chosen: Chosen = { heads: [plain], set: base, hasNoise: false }
    if (set.noiseClips.length > 0) {
      const heads = [await train(base, settings, true, 'the head with a noise class')]
      if (await take('noise class', byHeads(heads))) chosen = { heads, set: base, hasNoise: true }
    }
    const { columns } = set.features
    if (typeof ensemble === 'number' && columns.length > 1) {
      const names = columns.map(({ name }) => name).join(' + ')
      const heads = [await train(set, settings, chosen.hasNoise, `the head on ${names}`)]
      if (await take(`embedders ${names}`, byHeads(heads))) chosen = { ...chosen, heads, set }
    }
    const heads = await trainEnsemble(chosen)
    const isOther = typeof ensemble !== 'number' || heads.length > 1
    if (isOther && (await take(`ensemble of ${counted(heads.length, 'head')}`, byHeads(heads))))
      chosen = { ...chosen, heads }
    if (context !== undefined) {
      say('training the context head')
      const seen = await trainContext(set, context, settings, training)
      const faces = scoreByHeads(chosen.heads, identities)
      const fuse = (fusion: ContextFusion) => fuseContext(faces, seen.scores, seen.clipQuality, fusion)
      const fusion = await chooseFusion(fuse, async (scorer) =>
        mapOf(set, set.val, await rankClips(scorer, clipNames, set.valPool)),
      )
      await take('context', byScores(fuse(fusion)))
    }
  } finally {
    for (const { head } of trained) await head.dispose()
  }
  say('measuring people absent from training')
  return { steps, openSet: await measureOpenSet(base, settings, training) }

  async function trainEnsemble({ heads: [first], set: on, hasNoise }: Chosen): Promise<TrainedOnSet[]> {
    const members: TrainedOnSet[] = []
    if (typeof ensemble !== 'number') {
      for (const [k, member] of ensemble.entries()) {
        const what = `head ${k + 1} of ${ensemble.length}`
        const head = await train(setOfMember(set, member), member.settings, hasNoise, what)
        members.push({ ...head, weight: member.weight })
      }
      return members
    }
    if (first !== undefined) members.push(first)
    for (let k = 1; k < ensemble; k++) {
      const own = { ...settings, seed: settings.seed + k }
      members.push(await train(on, own, hasNoise, `head ${k + 1} of ${ensemble}`))
    }
    return members
  }
}

const percent = (share: number) => (100 * share).toFixed(2)

function descriptorSystem(
  rows: DescriptorRows,
  gallery: readonly (readonly number[])[],
  session: TrainOptions['session'],
): System {
  const queries = galleryQueries(rows, gallery)
  return async (pool) => ({
    ranked: await searchThroughIndex(rows, queries, pool),
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
