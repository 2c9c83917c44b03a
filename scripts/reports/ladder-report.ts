import type { Interval } from '../../index/evaluate/metrics/bootstrap.js'
import type { LadderSet } from '../../index/evaluate/ladder/ladder-steps.js'
import type { Ladder } from '../../index/evaluate/ladder/ladder.js'
import type { EnsembleMember } from '../../index/evaluate/ladder/ensemble.js'
import type { FeatureSet } from '../../index/evaluate/data/feature-set.js'
import type { IdentityScore } from '../../index/evaluate/metrics/mean-average-precision.js'
import type { TestedSet } from '../../index/evaluate/ladder/rankers.js'
import { writeReport } from '../../index/evaluate/report/write-report.js'
import type { HeadSettings } from '../../pipeline/training/train-head.js'
import type { RankedClips } from '../../index/evaluate/data/rankings.js'
import { reportSteps, shownClips, type ReportedRun, type ReportedStep } from './steps-report.js'

export interface LadderRun {
  readonly settings: HeadSettings
  readonly ensemble: number | readonly EnsembleMember[]
  readonly startedAt: Date
  readonly durationS: number
  readonly thumbnails: Thumbnails
}

/** JPEGs of clips by clip name. */
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
  /** How clips were ranked, in words. */
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

async function writeSteps(
  dir: string,
  set: TestedSet,
  steps: readonly ReportedStep[],
  { thumbnails, ...run }: ReportedRun & { readonly thumbnails: Thumbnails },
): Promise<void> {
  const report = reportSteps(set, steps, run)
  const pictures = thumbnails(shownClips(report))
  await writeReport(dir, report, (_identity, clip) => pictures.get(clip))
}
