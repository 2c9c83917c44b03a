import { bootstrapMean, pairedDifference, type Difference, type Interval } from '../metrics/bootstrap.js'
import type { EvaluationSet } from '../datasets/evaluation-set.js'
import type { LabelledHalf } from '../datasets/labelled-halves.js'
import { meanAveragePrecision, type IdentityScore } from '../metrics/mean-average-precision.js'
import { mapOf, measureRankings } from './measure-rankings.js'
import type { Pool, RankedClips } from '../data/rankings.js'

export interface LadderStep {
  readonly name: string
  readonly map: number
  readonly ci95: Interval
  /** Compared with the previous step, on the same identities. */
  readonly gain: Difference | undefined
  /** MAP on val, which decides whether the step is used. */
  readonly valMap: number
  /** False if the step gained nothing on val: the system of the previous step stays. */
  readonly isTaken: boolean
  readonly note: string | undefined
  readonly scores: readonly IdentityScore[]
  readonly ranked: readonly RankedClips[]
  /** MAP with exact search over the same descriptors, if the step uses the vector index. */
  readonly exactMap: number | undefined
}

/** Retrieves clips of a half for every identity. */
export type System = (pool: Pool) => Promise<Retrieved>

export interface Retrieved {
  readonly ranked: readonly RankedClips[]
  /** The result of exact search, if `ranked` used the vector index. */
  readonly exact?: readonly RankedClips[]
}

/** A set with both halves labelled. */
export type LadderSet = EvaluationSet & { readonly val: LabelledHalf; readonly test: LabelledHalf }

/** Measures a step and compares it with the previous one. Measures on test only if the step gained on val. */
export async function measureStep(
  set: LadderSet,
  before: LadderStep | undefined,
  name: string,
  system: System,
): Promise<LadderStep> {
  const onVal = await system(set.valPool)
  const valMap = mapOf(set, set.val, onVal.ranked)
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
  return {
    name,
    map: meanAveragePrecision(scores),
    ci95: bootstrapMean(aps),
    gain,
    valMap: isTaken ? valMap : before.valMap,
    isTaken,
    note: isTaken ? noteOf(gain) : `gains nothing on val (${(100 * valMap).toFixed(2)}): left out`,
    scores,
    ranked: onTest.ranked,
    exactMap: isTaken && onTest.exact !== undefined ? mapOf(set, set.test, onTest.exact) : undefined,
  }
}

function noteOf(gain: Difference | undefined): string | undefined {
  if (gain === undefined || gain.ci95[0] > 0) return undefined
  return gain.ci95[1] < 0 ? 'loses' : 'gains nothing beyond its confidence interval'
}
