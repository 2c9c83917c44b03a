import type { HeadSettings } from '../../../pipeline/training/train-head.js'
import { trainContext, type ContextRows } from './context-head.js'
import { chooseFusion } from './choose-fusion.js'
import {
  galleryQueries,
  searchExactly,
  searchThroughIndex,
  type DescriptorRows,
} from './descriptor-search.js'
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
import { planEnsemble, type EnsembleChoice } from './plan-ensemble.js'
import { fuseContext, rankClips, scoreByHeads, type ContextFusion, type Scorer } from './scorer.js'
import { counted } from '../../../pipeline/common/counted.js'

export interface LadderOptions extends Omit<TrainOptions, 'onStep'> {
  readonly settings: HeadSettings
  readonly ensemble: EnsembleChoice
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
  const climb = new LadderClimb(set, settings, training, onNews ?? (() => undefined))
  try {
    await climb.takeClipCentre()
    await climb.takeQualityPooling()
    let chosen = await climb.takeHead()
    chosen = await climb.takeNoiseClass(chosen)
    if (typeof ensemble === 'number') chosen = await climb.takeEmbedders(chosen)
    chosen = await climb.takeEnsemble(chosen, ensemble)
    if (context !== undefined) await climb.takeContext(chosen, context)
  } finally {
    await climb.dispose()
  }
  return { steps: climb.steps, openSet: await climb.measureOpenSet() }
}

/** The steps that were taken so far, and the heads that were trained for them. Each step says what the next one goes on from. */
class LadderClimb {
  readonly steps: LadderStep[] = []
  readonly #set: LadderSet
  /** The set by its first embedder alone. */
  readonly #base: EvaluationSet
  readonly #settings: HeadSettings
  readonly #training: TrainOptions
  readonly #say: (text: string) => void
  readonly #trained: TrainedOnSet[] = []

  constructor(set: LadderSet, settings: HeadSettings, training: TrainOptions, say: (text: string) => void) {
    this.#set = set
    this.#base = withColumns(set, set.features.columns.slice(0, 1))
    this.#settings = settings
    this.#training = training
    this.#say = say
  }

  async takeClipCentre(): Promise<void> {
    const { clipNames } = this.#set.features
    const rows = {
      ...{ dimension: this.#base.dimension, vectors: clipCentres(this.#base) },
      ...{ trackClips: Int32Array.from(clipNames.keys()), clipNames },
    }
    await this.#take('clip centre', this.#byDescriptors(rows, this.#set.galleryClips))
  }

  async takeQualityPooling(): Promise<void> {
    const { features, dimension, pooled } = this.#base
    const rows = { ...features, dimension, vectors: pooled }
    await this.#take('quality pooling', this.#byDescriptors(rows, this.#set.galleryTracks))
  }

  /** The steps after it go on from the head, whether val gained by it or not. */
  async takeHead(): Promise<Chosen> {
    const heads = [await this.#train(this.#base, this.#settings, false, 'the head')]
    await this.#take('MLP head', this.#byHeads(heads))
    return { heads, set: this.#base, hasNoise: false }
  }

  /** Where there are clips of strangers. */
  async takeNoiseClass(chosen: Chosen): Promise<Chosen> {
    if (this.#set.noiseClips.length === 0) return chosen
    const heads = [await this.#train(this.#base, this.#settings, true, 'the head with a noise class')]
    const isTaken = await this.#take('noise class', this.#byHeads(heads))
    return isTaken ? { heads, set: this.#base, hasNoise: true } : chosen
  }

  /** Where there are several. */
  async takeEmbedders(chosen: Chosen): Promise<Chosen> {
    const { columns } = this.#set.features
    if (columns.length < 2) return chosen
    const names = columns.map(({ name }) => name).join(' + ')
    const heads = [await this.#train(this.#set, this.#settings, chosen.hasNoise, `the head on ${names}`)]
    const isTaken = await this.#take(`embedders ${names}`, this.#byHeads(heads))
    return isTaken ? { ...chosen, heads, set: this.#set } : chosen
  }

  /** Nothing is measured where the ensemble is the one head that there is. */
  async takeEnsemble(chosen: Chosen, ensemble: EnsembleChoice): Promise<Chosen> {
    const heads: TrainedOnSet[] = typeof ensemble === 'number' ? chosen.heads.slice(0, 1) : []
    const planned = planEnsemble(ensemble, this.#set, chosen.set, this.#settings)
    for (const { set, settings, weight, name } of planned) {
      const head = await this.#train(set, settings, chosen.hasNoise, name)
      heads.push(weight === undefined ? head : { ...head, weight })
    }
    if (typeof ensemble === 'number' && heads.length < 2) return chosen
    const isTaken = await this.#take(`ensemble of ${counted(heads.length, 'head')}`, this.#byHeads(heads))
    return isTaken ? { ...chosen, heads } : chosen
  }

  async takeContext({ heads }: Chosen, context: ContextRows): Promise<void> {
    this.#say('training the context head')
    const set = this.#set
    const seen = await trainContext(set, context, this.#settings, this.#training)
    const faces = scoreByHeads(heads, set.identities.length)
    const fuse = (fusion: ContextFusion) => fuseContext(faces, seen.scores, seen.clipQuality, fusion)
    const fusion = await chooseFusion(async (tried) =>
      mapOf(set, set.val, await rankClips(fuse(tried), set.features.clipNames, set.valPool)),
    )
    await this.#take('context', this.#byScores(fuse(fusion)))
  }

  measureOpenSet(): Promise<OpenSetResult | undefined> {
    this.#say('measuring people absent from training')
    return measureOpenSet(this.#base, this.#settings, this.#training)
  }

  async dispose(): Promise<void> {
    for (const { head } of this.#trained) await head.dispose()
  }

  /** Measures a step and tells of it. Returns whether val gained by it. */
  async #take(name: string, system: System): Promise<boolean> {
    const step = await measureStep(this.#set, this.steps.at(-1), name, system)
    this.steps.push(step)
    const note = step.note === undefined ? '' : `, ${step.note}`
    this.#say(`${name}: MAP ${percent(step.map)} (val ${percent(step.valMap)})${note}`)
    return step.isTaken
  }

  async #train(
    on: EvaluationSet,
    settings: HeadSettings,
    hasNoise: boolean,
    what: string,
  ): Promise<TrainedOnSet> {
    this.#say(`training ${what}`)
    const head = await trainOnSet(on, settings, hasNoise, this.#training)
    this.#trained.push(head)
    return head
  }

  #byDescriptors(rows: DescriptorRows, gallery: readonly (readonly number[])[]): System {
    const queries = galleryQueries(rows, gallery)
    return async (pool) => ({
      ranked: await searchThroughIndex(rows, queries, pool),
      exact: await searchExactly(rows, queries, pool, this.#training.session),
    })
  }

  #byHeads(heads: readonly TrainedOnSet[]): System {
    return this.#byScores(scoreByHeads(heads, this.#set.identities.length))
  }

  #byScores(scorer: Scorer): System {
    const { clipNames } = this.#set.features
    return async (pool) => ({ ranked: await rankClips(scorer, clipNames, pool) })
  }
}

const percent = (share: number) => (100 * share).toFixed(2)
