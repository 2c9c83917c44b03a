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
  /** Context features of each clip. Without them, the context step is skipped. */
  readonly context?: ContextRows
  /** Called with the current task, and with the result of every step. */
  readonly onNews?: (text: string) => void
}

export interface Ladder {
  readonly steps: readonly LadderStep[]
  /** Undefined if there are too few people. */
  readonly openSet: OpenSetResult | undefined
}

/** The best system so far. */
interface Chosen {
  readonly heads: readonly TrainedOnSet[]
  readonly set: EvaluationSet
  readonly hasNoise: boolean
}

/**
 * Runs the ladder of the ArcFace paper's iQIYI-VID entry (arXiv 1801.07698, table 9) on the caller's data: clip
 * centre, quality pooling of tracks, MLP head, noise class, ensembles of embedders and of heads, context. Everything
 * is trained on the gallery and chosen on val. Each step is scored on test once. A step that does not help on val is
 * skipped. The first steps use the first embedder of the set.
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

/**
 * The steps so far, with the heads that were trained for them. Each step decides from which system the next one
 * continues.
 */
class LadderClimb {
  readonly steps: LadderStep[] = []
  readonly #set: LadderSet
  /** The set with only its first embedder. */
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

  /** Later steps continue from the head, even if it gained nothing on val. */
  async takeHead(): Promise<Chosen> {
    const heads = [await this.#train(this.#base, this.#settings, false, 'the head')]
    await this.#take('MLP head', this.#byHeads(heads))
    return { heads, set: this.#base, hasNoise: false }
  }

  /** Runs if there are clips of strangers. */
  async takeNoiseClass(chosen: Chosen): Promise<Chosen> {
    if (this.#set.noiseClips.length === 0) return chosen
    const heads = [await this.#train(this.#base, this.#settings, true, 'the head with a noise class')]
    const isTaken = await this.#take('noise class', this.#byHeads(heads))
    return isTaken ? { heads, set: this.#base, hasNoise: true } : chosen
  }

  /** Runs if there are several embedders. */
  async takeEmbedders(chosen: Chosen): Promise<Chosen> {
    const { columns } = this.#set.features
    if (columns.length < 2) return chosen
    const names = columns.map(({ name }) => name).join(' + ')
    const heads = [await this.#train(this.#set, this.#settings, chosen.hasNoise, `the head on ${names}`)]
    const isTaken = await this.#take(`embedders ${names}`, this.#byHeads(heads))
    return isTaken ? { ...chosen, heads, set: this.#set } : chosen
  }

  /** Skipped if the ensemble is only the existing head. */
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

  /** Measures and reports a step. Returns true if it gained on val. */
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
