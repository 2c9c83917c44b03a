import type { Head } from '../../../pipeline/training/trained-head.js'
import { createHeadRunner } from '../../../pipeline/training/trained-head.js'
import { parseLoss } from '../../../pipeline/training/losses/parse-loss.js'
import { createNetwork } from '../../../pipeline/training/network.js'
import type { TrainingRows } from '../../../pipeline/training/sampler.js'
import {
  trainHead,
  type BestHead,
  type HeadSettings,
  type TrainHeadOptions,
} from '../../../pipeline/training/train-head.js'
import { galleryQueries, searchExactly } from './descriptor-search.js'
import { tracksIn, type EvaluationSet } from '../datasets/evaluation-set.js'
import { mapOf } from './measure-rankings.js'
import { rankClips, scoreByHeads, type PooledRows, type ScoringHead } from './scorer.js'

/** Tracks for training: the tracks of each identity, and tracks of strangers as class 0. */
export function trainingRows(
  set: EvaluationSet,
  options: { readonly noise: boolean; readonly isUsed?: (identity: number) => boolean },
): TrainingRows {
  const tracks: number[] = []
  const labels: number[] = []
  const used = [...set.identities.keys()].filter((identity) => options.isUsed?.(identity) ?? true)
  for (const [at, identity] of used.entries())
    for (const track of set.galleryTracks[identity] ?? []) {
      tracks.push(track)
      labels.push(at + 1)
    }
  if (options.noise)
    for (const track of tracksIn(set, set.noiseClips)) {
      tracks.push(track)
      labels.push(0)
    }
  return {
    faces: set.features,
    tracks: Int32Array.from(tracks),
    labels: Int32Array.from(labels),
    classCount: used.length,
  }
}

/** All tracks of the set, pooled like in the describe stage. */
export const pooledTracks = ({ features, dimension, pooled }: EvaluationSet): PooledRows => ({
  dimension,
  pooled,
  clips: features.trackClips,
})

export interface TrainedOnSet extends ScoringHead {
  readonly best: BestHead
}

export type TrainOptions = Omit<TrainHeadOptions, 'watch'>

/** Trains a head on the gallery of the set. Keeps the best epoch on val, if there is a val half. */
export async function trainOnSet(
  set: EvaluationSet,
  settings: HeadSettings,
  noise: boolean,
  options: TrainOptions,
): Promise<TrainedOnSet> {
  const { val } = set
  const rows = pooledTracks(set)
  // Only val's clips are scored after an epoch.
  const valRows = poolOnly(rows, set.valPool)
  const watch = async (head: Head) => {
    if (val === undefined) return 0
    const ranked = await rankClips(
      scoreByHeads([{ head, rows: valRows }], set.identities.length),
      set.features.clipNames,
      set.valPool,
    )
    return mapOf(set, val, ranked)
  }
  const best = await trainHead(trainingRows(set, { noise }), settings, {
    ...options,
    ...(val === undefined ? {} : { watch }),
  })
  return { best, rows, head: await runnerOf(best, settings, set.dimension, options, 1) }
}

export function runnerOf(
  best: BestHead,
  settings: HeadSettings,
  inputDimension: number,
  { session }: TrainOptions,
  residualShare: number,
): Promise<Head> {
  const loss = parseLoss(settings.loss, settings.scale)
  // The weights come from `best`. The network only gives the shape.
  const network = createNetwork(settings.network, inputDimension, () => 0.5)
  return createHeadRunner({ network, loss, residualShare }, () => best.tensors, session)
}

function poolOnly({ dimension, pooled, clips }: PooledRows, pool: ReadonlySet<number>): PooledRows {
  const kept = [...clips.keys()].filter((row) => pool.has(clips[row] ?? -1))
  const own = new Float32Array(kept.length * dimension)
  for (const [at, row] of kept.entries())
    own.set(pooled.subarray(row * dimension, (row + 1) * dimension), at * dimension)
  return { dimension, pooled: own, clips: Int32Array.from(kept, (row) => clips[row] ?? 0) }
}

/** Results of a head for people who were not in the training set. */
export interface OpenSetResult {
  /** MAP for these people with plain pooled descriptors. */
  readonly baselineMap: number
  /** MAP with the head's descriptor, for each share of the network's output. */
  readonly maps: readonly { readonly share: number; readonly map: number }[]
  /** The largest share that loses nothing compared with the baseline. 0 if every share loses. */
  readonly residualShare: number
}

const shares = [1, 0.5, 0.25] as const

/**
 * Measures the head's descriptor on people it never saw. The identities are split into two halves by number. A head
 * is trained on each half, and the other half is retrieved from val by descriptor. Undefined if there are too few
 * people.
 */
export async function measureOpenSet(
  set: EvaluationSet,
  settings: HeadSettings,
  options: TrainOptions,
): Promise<OpenSetResult | undefined> {
  const { features, val } = set
  if (val === undefined) throw new Error('measuring people absent from training needs a val half')
  const seen = [...set.galleryTracks.entries()].filter(([, tracks]) => tracks.length > 0)
  if ([0, 1].some((half) => seen.filter(([identity]) => identity % 2 === half).length < 2)) return undefined
  const descriptorRows = (vectors: Float32Array) => ({
    ...features,
    // The network of the paper has more outputs than inputs.
    dimension: vectors.length / features.trackClips.length,
    vectors,
  })
  const mapOfHalf = async (vectors: Float32Array, half: number): Promise<number> => {
    const rows = descriptorRows(vectors)
    const queries = galleryQueries(rows, set.galleryTracks)
    const ranked = await searchExactly(rows, queries, set.valPool, options.session)
    const groundTruth = new Map(
      [...val.groundTruth].filter(([identity]) => set.identities.indexOf(identity) % 2 === half),
    )
    return mapOf(set, { ...val, groundTruth }, ranked)
  }
  let baseline = 0
  const sums = shares.map(() => 0)
  for (const half of [0, 1]) {
    baseline += (await mapOfHalf(set.pooled, half)) / 2
    const rows = trainingRows(set, { noise: true, isUsed: (identity) => identity % 2 !== half })
    const best = await trainHead(rows, settings, options)
    for (const [k, share] of shares.entries()) {
      const head = await runnerOf(best, settings, set.dimension, options, share)
      const { descriptors } = await head.run(set.pooled)
      await head.dispose()
      sums[k] = (sums[k] ?? 0) + (await mapOfHalf(descriptors, half)) / 2
    }
  }
  const maps = shares.map((share, k) => ({ share, map: sums[k] ?? 0 }))
  return { baselineMap: baseline, maps, residualShare: maps.find(({ map }) => map >= baseline)?.share ?? 0 }
}
