import type { Interval } from '../../index/evaluate/metrics/bootstrap.js'
import type { LadderSet, LadderStep } from '../../index/evaluate/ladder/ladder-steps.js'
import type { Ladder } from '../../index/evaluate/ladder/ladder.js'
import type { EnsembleMember } from '../../index/evaluate/ladder/ensemble.js'
import type { FeatureSet } from '../../index/evaluate/data/feature-set.js'
import { mapCutoff, type IdentityScore } from '../../index/evaluate/metrics/mean-average-precision.js'
import { namedRankings } from '../../index/evaluate/ladder/measure-rankings.js'
import { hitRanks, precisionRecall } from '../../index/evaluate/metrics/precision-recall.js'
import type { TestedSet } from '../../index/evaluate/ladder/rankers.js'
import {
  reportVersion,
  type EvaluationReport,
  type ReportSettings,
} from '../../index/evaluate/report/report-data.js'
import { summariseScores } from '../../index/evaluate/report/summarise-scores.js'
import { worstIdentities } from '../../index/evaluate/report/worst-identities.js'
import { writeReport } from '../../index/evaluate/report/write-report.js'
import type { HeadSettings } from '../../pipeline/training/train-head.js'
import type { RankedClips } from '../../index/evaluate/data/rankings.js'

export interface LadderRun {
  readonly settings: HeadSettings
  readonly ensemble: number | readonly EnsembleMember[]
  readonly startedAt: Date
  readonly durationS: number
  readonly thumbnails: Thumbnails
}

/** JPEGs of clips by their names. */
export type Thumbnails = (clipNames: readonly string[]) => ReadonlyMap<string, Uint8Array>

export function writeLadderReport(
  dir: string,
  set: LadderSet,
  { steps, openSet }: Ladder,
  { settings, ensemble, startedAt, durationS, thumbnails }: LadderRun,
): Promise<void> {
  const heads =
    typeof ensemble === 'number'
      ? ensemble
      : ensemble.map(({ file, settings: { seed, loss }, embedders, fold, weight }) => ({
          ...{ file, seed, loss, weight, embedders: [...(embedders ?? [])] },
          fold: fold === undefined ? null : `${fold.leave}/${fold.of}`,
        }))
  return writeSteps(dir, set, steps, {
    title: 'The ladder',
    startedAt,
    durationS,
    thumbnails,
    settings: {
      ...{ head: { ...settings }, heads, embedders: embeddersOf(set.features) },
      openSet: openSet === undefined ? null : { ...openSet, maps: [...openSet.maps] },
    },
  })
}

export interface MapRun {
  /** In words: what clips were ranked by. */
  readonly how: string
  readonly map: number
  readonly ci95: Interval
  readonly scores: readonly IdentityScore[]
  readonly ranked: readonly RankedClips[]
  readonly startedAt: Date
  readonly durationS: number
  readonly thumbnails: Thumbnails
}

export function writeMapReport(dir: string, set: TestedSet, run: MapRun): Promise<void> {
  const { how, startedAt, durationS, thumbnails } = run
  const step = { ...run, name: how, gain: undefined, note: undefined }
  return writeSteps(dir, set, [step], {
    title: 'MAP@100',
    startedAt,
    durationS,
    thumbnails,
    settings: { scoredBy: how, embedders: embeddersOf(set.features) },
  })
}

const embeddersOf = ({ columns }: FeatureSet) =>
  columns.map(({ name, digest, dimension }) => ({ name, digest, dimension }))

type ReportedStep = Pick<LadderStep, 'name' | 'map' | 'ci95' | 'gain' | 'note' | 'scores' | 'ranked'>

/** Curves and worst identities are of the last step. */
async function writeSteps(
  dir: string,
  set: TestedSet,
  steps: readonly ReportedStep[],
  run: {
    readonly title: string
    readonly startedAt: Date
    readonly durationS: number
    readonly thumbnails: Thumbnails
    readonly settings: ReportSettings
  },
): Promise<void> {
  const { groundTruth } = set.test
  const { clips, listed, unlisted, leftOut } = set.testPoolAccount
  const pool = {
    clips,
    listed,
    unlisted,
    leftOut: Object.fromEntries(leftOut.map(({ why, clips: count }) => [why, count])),
  }
  const chosen = steps.at(-1)
  if (chosen === undefined) throw new Error('a ladder has steps')
  const rankings = steps.map(({ ranked }) => namedRankings(set, set.test, ranked))
  const ownerOf = new Map<string, string>()
  for (const [identity, clips] of groundTruth) for (const clip of clips) ownerOf.set(clip, identity)
  const last = rankings.at(-1) ?? new Map<string, readonly string[]>()
  const mated: number[] = []
  const nonMated: number[] = []
  for (const [at, identity] of set.identities.entries())
    for (const { clip, score } of chosen.ranked[at] ?? []) {
      const names = set.test.namesOf.get(clip) ?? []
      const isMated = names.some((name) => groundTruth.get(identity)?.has(name) === true)
      if (Number.isFinite(score)) (isMated ? mated : nonMated).push(score)
    }
  const ranked = [...groundTruth].map(([identity, positives], at) => ({
    identity,
    ap: chosen.scores[at]?.averagePrecision ?? 0,
    ranking: last.get(identity) ?? [],
    positives,
  }))
  const worst = worstIdentities(ranked, (clip) => ownerOf.get(clip))
  const shown = worst.flatMap(({ wrong, missed }) => [...wrong.map(({ clip }) => clip), ...missed])
  const pictures = run.thumbnails(shown)
  const report: EvaluationReport = {
    version: reportVersion,
    title: run.title,
    startedAt: run.startedAt.toISOString(),
    durationS: run.durationS,
    depth: mapCutoff,
    settings: { ...run.settings, rankedClips: pool },
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
      precision: precisionRecall(
        [...groundTruth].map(([identity, positives]) => ({
          hitRanks: hitRanks(rankings[k]?.get(identity) ?? [], positives),
          positives: positives.size,
        })),
      ),
    })),
    scores: summariseScores(
      Float32Array.from(mated),
      Float32Array.from(nonMated),
      'score among the 100 best clips of an identity',
    ),
    worst,
  }
  await writeReport(dir, report, (_identity, clip) => pictures.get(clip))
}
