import { CameoError } from '../../../pipeline/common/errors.js'
import { pairedDifference, type Difference } from '../metrics/bootstrap.js'
import { meanAveragePrecision, type IdentityScore } from '../metrics/mean-average-precision.js'
import { verdictOf, type EvaluationReport, type Verdict } from './report-data.js'
import { pluralOf } from '../../../pipeline/common/counted.js'

/** The scores of each identity in one run. */
export interface MeasuredRun {
  /** Name for messages: a file, or a report with its step. */
  readonly name: string
  readonly scores: readonly Pick<IdentityScore, 'identity' | 'positives' | 'averagePrecision'>[]
}

export interface RunComparison {
  readonly mapA: number
  readonly mapB: number
  readonly identities: number
  /** b − a, paired by identity. */
  readonly difference: Difference
  readonly verdict: Verdict
}

/** Number of identities in a message. */
const namedAtMost = 10

/**
 * Compares two runs over the same identities, in any order.
 * @throws EVALUATION_INVALID with the identities that only one run has, or that have different positives in the two
 * runs
 */
export function compareRuns(a: MeasuredRun, b: MeasuredRun): RunComparison {
  const ofB = new Map(b.scores.map((score) => [score.identity, score]))
  const ofA = new Set(a.scores.map(({ identity }) => identity))
  const onlyA = a.scores.filter(({ identity }) => !ofB.has(identity))
  const onlyB = b.scores.filter(({ identity }) => !ofA.has(identity))
  const missing = [
    ...(onlyA.length > 0 ? [`only ${a.name} has ${named(onlyA)}`] : []),
    ...(onlyB.length > 0 ? [`only ${b.name} has ${named(onlyB)}`] : []),
  ]
  if (missing.length > 0) throw incomparable(missing.join('; '))
  const other = a.scores.filter(({ identity, positives }) => ofB.get(identity)?.positives !== positives)
  if (other.length > 0)
    throw incomparable(`${a.name} and ${b.name} have different numbers of positives for ${named(other)}`)
  const precisionsA = a.scores.map(({ averagePrecision }) => averagePrecision)
  const precisionsB = a.scores.map(({ identity }) => ofB.get(identity)?.averagePrecision ?? 0)
  const difference = pairedDifference(precisionsA, precisionsB)
  return {
    mapA: meanAveragePrecision(a.scores),
    mapB: meanAveragePrecision(b.scores),
    identities: a.scores.length,
    difference,
    verdict: verdictOf(difference),
  }
}

const incomparable = (what: string) =>
  new CameoError(
    'EVALUATION_INVALID',
    `the two runs cannot be compared: ${what}; evaluate both on the same ground truth`,
  )

function named(scores: readonly { readonly identity: string }[]): string {
  const names = scores.slice(0, namedAtMost).map(({ identity }) => identity)
  const more = scores.length - names.length
  return `${pluralOf(scores.length, 'identity', 'identities')} ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

/**
 * A step of a report as a run. Default: the chosen step.
 * @throws EVALUATION_INVALID with the report's steps, if it does not have the named one
 */
export function runOfReport(report: EvaluationReport, from: string, step = report.chosenStep): MeasuredRun {
  const at = report.steps.findIndex(({ name }) => name === step)
  if (at < 0)
    throw new CameoError(
      'EVALUATION_INVALID',
      `the report ${from} has no step "${step}"; it has ${report.steps.map(({ name }) => `"${name}"`).join(', ')}`,
    )
  return {
    name: `${from} (step "${step}")`,
    scores: report.identities.map(({ identity, positives, ap }) => ({
      identity,
      positives,
      averagePrecision: ap[at] ?? 0,
    })),
  }
}
