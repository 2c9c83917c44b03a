import { resolve } from 'node:path'
import { z } from 'zod'
import type { DamagedThing } from '../../index/archive/damaged-things.js'
import type { CoverageSum } from '../../index/coverage/sum-coverage.js'
import type { EvaluationSet } from '../../index/evaluate/datasets/evaluation-set.js'
import type { PoolAccount, PoolChoice } from '../../index/evaluate/datasets/pools.js'
import { readEnsemble, type Fold } from '../../index/evaluate/ladder/ensemble.js'
import type { OpenSetResult } from '../../index/evaluate/ladder/head-training.js'
import type { LadderSet } from '../../index/evaluate/ladder/ladder-steps.js'
import { climbLadder } from '../../index/evaluate/ladder/ladder.js'
import { namedRankings } from '../../index/evaluate/ladder/measure-rankings.js'
import type { WrittenHead } from '../../index/evaluate/ladder/train-to-file.js'
import type { Difference, Interval } from '../../index/evaluate/metrics/bootstrap.js'
import type { IdentityScore } from '../../index/evaluate/metrics/mean-average-precision.js'
import { evaluateMap, scoresByHeads } from '../../index/evaluate/source/evaluate-map.js'
import {
  evaluationSetOf,
  readSource,
  suspectWarnings,
  type SourceFiles,
} from '../../index/evaluate/source/evaluation-source.js'
import { trainHeads } from '../../index/evaluate/source/train-heads.js'
import { CameoError } from '../../pipeline/common/errors.js'
import type { SessionOptions } from '../../pipeline/models/session.js'
import type { Caller } from '../../pipeline/stages/caller.js'
import {
  headSettingsSchema,
  type HeadSettings,
  type TrainingProgress,
} from '../../pipeline/training/train-head.js'

/**
 * What `evaluateMap` measures: MAP@100 as in iQIYI-VID. Lines of ground truth files are "CLIP ID" or "ID CLIP
 * CLIP …".
 */
export interface MapQuery {
  /** Ground truth file to score against. */
  readonly groundTruth: string
  /** Ground truth file of the clips that show what each identity looks like. Default: the enrolled names. */
  readonly gallery?: string
  /** Ground truth file of further clips, which are not ranked. */
  readonly val?: string
  /**
   * Which clips are ranked: all clips except those of other lists, or only those of the ground truth.
   * Default: `all`.
   */
  readonly pool?: PoolChoice
  /** Score by the classes of these heads (ONNX files) instead of similarity to the gallery. */
  readonly heads?: readonly string[]
  /** Score by the heads that this JSON file declares. */
  readonly ensemble?: string
  /** Compare with every descriptor instead of the vector index. Default: false. */
  readonly exact?: boolean
  /** Stops the call with INTERRUPTED before its next step. */
  readonly signal?: AbortSignal
}

/** The data that an evaluation used. */
export interface MeasuredOn {
  /** Counts of the ranked clips. */
  readonly pool: PoolAccount
  readonly coverage: CoverageSum | null
  /** Damaged parts of the archive, which are left out. */
  readonly damaged: readonly DamagedThing[]
  /** Sentences. */
  readonly warnings: readonly string[]
}

/** How well the archive finds people. */
export interface MapReport extends MeasuredOn {
  /** MAP@100, 0..1. */
  readonly map: number
  /** 95 % interval of `map`, by bootstrap over identities. */
  readonly ci95: Interval
  /** MAP@100 of exact search, if the answer came from the vector index. */
  readonly exactMap: number | undefined
  /** One score per identity, in the order of the ground truth. */
  readonly scores: readonly IdentityScore[]
  /** Up to 100 clips of each identity, best first, with the names of the ground truth. */
  readonly rankings: ReadonlyMap<string, readonly string[]>
}

/** Training settings that differ from the defaults. */
export interface HeadSettingsInput extends z.input<typeof headSettingsSchema> {}

/** The training data of a head. Ground truth files are as for `MapQuery`. */
export interface TrainHeadQuery {
  /** Ground truth file: the person in each clip. */
  readonly groundTruth: string
  /** ONNX file to write. A checkpoint lies beside it until the file is complete. */
  readonly out: string
  /** Ground truth file that chooses the best epoch. Default: the last epoch is kept. */
  readonly val?: string
  /**
   * File with one clip of a stranger per line, to train on. Default: half of the clips of val that no line
   * names.
   */
  readonly noise?: string
  readonly settings?: HeadSettingsInput
  /** Names of embedders. Their embeddings are concatenated. Default: the pack's embedder. */
  readonly embedders?: readonly string[]
  /** Clips to leave out of training. */
  readonly fold?: Fold
  /** Continue a stopped training after its last epoch. Default: false. */
  readonly resume?: boolean
  /** Called after each epoch. */
  readonly onEpoch?: (progress: TrainingProgress) => void
  /** Stops the training with INTERRUPTED. Its checkpoint stays. */
  readonly signal?: AbortSignal
}

/** The data of a ladder. Ground truth files are as for `MapQuery`. */
export interface LadderQuery {
  /** Ground truth files: to train on, to choose by, and to score once. */
  readonly gallery: string
  readonly val: string
  readonly groundTruth: string
  /** Same as for training. */
  readonly noise?: string
  readonly settings?: HeadSettingsInput
  /** Which clips are ranked. Default: `all`. */
  readonly pool?: PoolChoice
  /**
   * Heads of the ensemble: a number of heads with different seeds, or the JSON file that declares them.
   * Default: 5.
   */
  readonly ensemble?: number | string
  /** Stops the call with INTERRUPTED. */
  readonly signal?: AbortSignal
}

/** The gain of one step of the ladder. */
export interface LadderRung {
  readonly name: string
  /** MAP@100 on the scored ground truth, and its 95 % interval; 0..1. */
  readonly map: number
  readonly ci95: Interval
  /** MAP@100 on the clips that steps are chosen by. */
  readonly valMap: number
  /** False if the step did not improve `valMap` and is left out. */
  readonly isTaken: boolean
  /** Difference to the step before, on the same identities. */
  readonly gain: Difference | undefined
}

/** The gain of each step, in order. */
export interface LadderReport extends MeasuredOn {
  readonly steps: readonly LadderRung[]
  /** Result for people who are absent from training; undefined if there are too few people. */
  readonly openSet: OpenSetResult | undefined
}

/** What evaluations and trainings of one archive share. */
export interface Bench {
  readonly files: SourceFiles
  readonly session: Pick<SessionOptions, 'device' | 'intraOpThreads'>
  readonly notify: Caller['notify']
}

export async function measureMap({ files, session, notify }: Bench, query: MapQuery): Promise<MapReport> {
  const { heads, pool = 'all', ...asked } = query
  const request = { ...asked, pool, head: heads, session }
  const source = await readSource(files, { furtherEmbedders: scoresByHeads(request) }, notify)
  const { set, ranked, scores, map, ci95, exactMap } = await evaluateMap(source, request)
  return {
    ...{ map, ci95, exactMap, scores },
    rankings: namedRankings(set, set.test, ranked),
    ...{ pool: set.testPoolAccount, warnings: set.warnings },
    ...{ coverage: source.coverage, damaged: source.damaged },
  }
}

export async function trainOneHead(bench: Bench, query: TrainHeadQuery): Promise<WrittenHead> {
  const { files, session, notify } = bench
  const { groundTruth, out, embedders, fold, resume = false, onEpoch, signal = never() } = query
  const settings = settingsOf(query.settings)
  const options = { furtherEmbedders: embedders !== undefined, mirrored: settings.mirror }
  const source = await readSource(files, options, notify)
  const { val, noise } = query
  const set = evaluationSetOf(source, {
    gallery: groundTruth,
    ...(val === undefined ? {} : { val }),
    ...(noise === undefined ? {} : { noise }),
  })
  for (const warning of set.warnings) notify(warning)
  const members = [{ file: resolve(out), settings, embedders, fold }]
  const written: WrittenHead[] = []
  await trainHeads(
    set,
    { members, resume, isEnsemble: false, session, signal },
    {
      notify,
      onEpoch: (_file, progress) => onEpoch?.(progress),
      onWritten: (_file, head) => written.push(head),
    },
  )
  const [head] = written
  if (head === undefined) throw new Error('the training wrote no head')
  return head
}

export async function measureLadder(bench: Bench, query: LadderQuery): Promise<LadderReport> {
  const { files, session, notify } = bench
  const settings = settingsOf(query.settings)
  const { ensemble = 5, signal = never() } = query
  const source = await readSource(files, { furtherEmbedders: true, mirrored: settings.mirror }, notify)
  const set = evaluationSetOf(source, query)
  if (!isLadderSet(set)) throw new Error('a ladder was given no val or no ground truth')
  const { steps, openSet } = await climbLadder(set, {
    ...{ settings, session, signal },
    ensemble: typeof ensemble === 'string' ? readEnsemble(ensemble, settings) : ensemble,
    onNews: notify,
    ...(source.context === undefined ? {} : { context: source.context }),
  })
  const suspects = suspectWarnings(set, steps.at(-1)?.ranked ?? [])
  return {
    steps: steps.map(({ name, map, ci95, valMap, isTaken, gain }) => ({
      ...{ name, map, ci95, valMap, isTaken, gain },
    })),
    openSet,
    ...{ pool: set.testPoolAccount, warnings: [...set.warnings, ...suspects] },
    ...{ coverage: source.coverage, damaged: source.damaged },
  }
}

const never = () => new AbortController().signal

const isLadderSet = (set: EvaluationSet): set is LadderSet => set.val !== undefined && set.test !== undefined

function settingsOf(input: HeadSettingsInput = {}): HeadSettings {
  const parsed = headSettingsSchema.safeParse(input)
  if (!parsed.success)
    throw new CameoError('USAGE', `the settings of training do not fit: ${z.prettifyError(parsed.error)}`)
  return parsed.data
}
