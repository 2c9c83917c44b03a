import type { EvaluationSet } from '../datasets/evaluation-set.js'
import type { LabelledHalf } from '../datasets/labelled-halves.js'
import {
  mapCutoff,
  meanAveragePrecision,
  scoreRankings,
  type IdentityScore,
} from '../metrics/mean-average-precision.js'
import type { Rankings, RankedClips } from '../data/rankings.js'

/** The retrieved clips with their names in the ground truth. `ranked` is in the order of the set's identities. */
export function namedRankings(
  set: EvaluationSet,
  half: LabelledHalf,
  ranked: readonly RankedClips[],
): Rankings {
  const rankings = new Map<string, readonly string[]>()
  for (const [at, identity] of set.identities.entries()) {
    if (!half.groundTruth.has(identity)) continue
    const clips = (ranked[at] ?? []).flatMap(
      ({ clip }) => half.namesOf.get(clip) ?? [set.features.clipNames[clip] ?? ''],
    )
    rankings.set(identity, clips.slice(0, mapCutoff))
  }
  return rankings
}

export function measureRankings(
  set: EvaluationSet,
  half: LabelledHalf,
  ranked: readonly RankedClips[],
): IdentityScore[] {
  return scoreRankings(namedRankings(set, half, ranked), half.groundTruth)
}

export const mapOf = (set: EvaluationSet, half: LabelledHalf, ranked: readonly RankedClips[]): number =>
  meanAveragePrecision(measureRankings(set, half, ranked))
