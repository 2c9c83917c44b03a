import type { Interval } from '../../index/evaluate/metrics/bootstrap.js'
import type { LadderStep } from '../../index/evaluate/ladder/ladder-steps.js'
import { namedRankings } from '../../index/evaluate/ladder/measure-rankings.js'
import type { TestedSet } from '../../index/evaluate/ladder/rankers.js'
import type { GroundTruth, RankedClips, Rankings } from '../../index/evaluate/data/rankings.js'
import { mapCutoff, type IdentityScore } from '../../index/evaluate/metrics/mean-average-precision.js'
import { hitRanks, precisionRecall } from '../../index/evaluate/metrics/precision-recall.js'
import {
  reportVersion,
  type EvaluationReport,
  type ReportSettings,
  type WorstIdentity,
} from '../../index/evaluate/report/report-data.js'
import { summariseScores } from '../../index/evaluate/report/summarise-scores.js'
import { worstIdentities } from '../../index/evaluate/report/worst-identities.js'

/** The data of a step in a report: its MAP, and the answer for each identity. */
export interface ReportedStep extends Pick<LadderStep, 'name' | 'map' | 'gain' | 'note'> {
  readonly ci95: Interval
  readonly scores: readonly IdentityScore[]
  readonly ranked: readonly RankedClips[]
}

export interface ReportedRun {
  readonly title: string
  readonly startedAt: Date
  readonly durationS: number
  readonly settings: ReportSettings
}

/**
 * The report of some steps on a set. The worst identities and the scores belong to the last step. Throws if
 * there is no step.
 */
export function reportSteps(
  set: TestedSet,
  steps: readonly ReportedStep[],
  { title, startedAt, durationS, settings }: ReportedRun,
): EvaluationReport {
  const chosen = steps.at(-1)
  if (chosen === undefined) throw new Error('a ladder has steps')
  const { groundTruth } = set.test
  const rankings = steps.map(({ ranked }) => namedRankings(set, set.test, ranked))
  const { mated, nonMated } = splitScores(set, chosen.ranked)
  return {
    version: reportVersion,
    title,
    startedAt: startedAt.toISOString(),
    durationS,
    depth: mapCutoff,
    settings: { ...settings, rankedClips: poolOf(set) },
    warnings: set.warnings.map((message) => ({ message })),
    steps: steps.map(({ name, map, ci95, gain, note }) => ({
      name,
      map,
      ci95: [...ci95],
      ...(gain === undefined ? {} : { gain: { value: gain.value, ci95: [...gain.ci95] } }),
      ...(note === undefined ? {} : { note }),
    })),
    chosenStep: chosen.name,
    identities: [...groundTruth].map(([identity, positives], at) => ({
      identity,
      positives: positives.size,
      found: steps.map(({ scores }) => scores[at]?.found ?? 0),
      ap: steps.map(({ scores }) => scores[at]?.averagePrecision ?? 0),
    })),
    precisionRecall: steps.map(({ name }, k) => ({
      step: name,
      precision: precisionOf(groundTruth, rankings[k] ?? new Map()),
    })),
    scores: summariseScores(mated, nonMated, 'score among the 100 best clips of an identity'),
    worst: worstOf(groundTruth, rankings.at(-1) ?? new Map(), chosen.scores),
  }
}

/** The clips that a report shows pictures of. */
export const shownClips = ({ worst }: Pick<EvaluationReport, 'worst'>): string[] =>
  worst.flatMap(({ wrong, missed }) => [...wrong.map(({ clip }) => clip), ...missed])

/** Which clips were ranked, in numbers. */
function poolOf({ testPoolAccount: { clips, listed, unlisted, leftOut } }: TestedSet) {
  return {
    ...{ clips, listed, unlisted },
    leftOut: Object.fromEntries(leftOut.map(({ why, clips: count }) => [why, count])),
  }
}

/**
 * Scores of ranked clips, split into those that show the identity and the others. Scores of −∞ (clips without
 * a face) are left out.
 */
export function splitScores(
  set: Pick<TestedSet, 'identities' | 'test'>,
  ranked: readonly RankedClips[],
): { readonly mated: Float32Array; readonly nonMated: Float32Array } {
  const { groundTruth, namesOf } = set.test
  const mated: number[] = []
  const nonMated: number[] = []
  for (const [at, identity] of set.identities.entries())
    for (const { clip, score } of ranked[at] ?? []) {
      const isMated = (namesOf.get(clip) ?? []).some((name) => groundTruth.get(identity)?.has(name) === true)
      if (Number.isFinite(score)) (isMated ? mated : nonMated).push(score)
    }
  return { mated: Float32Array.from(mated), nonMated: Float32Array.from(nonMated) }
}

const precisionOf = (groundTruth: GroundTruth, rankings: Rankings) =>
  precisionRecall(
    [...groundTruth].map(([identity, positives]) => ({
      hitRanks: hitRanks(rankings.get(identity) ?? [], positives),
      positives: positives.size,
    })),
  )

function worstOf(
  groundTruth: GroundTruth,
  rankings: Rankings,
  scores: readonly IdentityScore[],
): WorstIdentity[] {
  const ownerOf = new Map<string, string>()
  for (const [identity, clips] of groundTruth) for (const clip of clips) ownerOf.set(clip, identity)
  const ranked = [...groundTruth].map(([identity, positives], at) => ({
    ...{ identity, positives },
    ap: scores[at]?.averagePrecision ?? 0,
    ranking: rankings.get(identity) ?? [],
  }))
  return worstIdentities(ranked, (clip) => ownerOf.get(clip))
}
