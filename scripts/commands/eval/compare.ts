import { Command, Option } from 'commander'
import { compareRuns, runOfReport, type MeasuredRun } from '../../../index/evaluate/report/compare-reports.js'
import {
  checkSubmissionFits,
  readGroundTruth,
  readSubmission,
} from '../../../index/evaluate/datasets/ground-truth.js'
import { scoreRankings } from '../../../index/evaluate/metrics/mean-average-precision.js'
import { formatCounted, formatGain, formatScore } from '../../../index/evaluate/report/format.js'
import { readReport } from '../../../index/evaluate/report/read-report.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import { isFolder } from '../../../index/evaluate/protocols/embed-benchmark.js'
import { jsonOption } from '../../cli/options.js'
import { exitCodes, note, print, printJson } from '../../cli/output.js'
import type { GroundTruth } from '../../../index/evaluate/data/rankings.js'

interface CompareOptions {
  readonly groundTruth?: string
  readonly step?: string
  readonly json: boolean
}

export const compareCommand = new Command('compare')
  .description('Compare two runs: MAP of both, and whether the difference holds.')
  .argument('<a>', "a report's folder or its report.json, or a submission")
  .argument('<b>', 'the same for the other run')
  .addOption(new Option('--ground-truth <file>', 'what submissions are scored against'))
  .addOption(new Option('--step <name>', "step of the reports (default: each report's chosen step)"))
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
The difference B − A is paired by identity; its 95 % confidence interval is a bootstrap over identities. It holds if
0 is outside the interval.
With --json: {a: {name, map}, b: {name, map}, identities, difference: {value, ci95}, holds, verdict}; verdict is "gains",
"loses" or "gains nothing".
Exit code: 0 compared, 2 the runs cannot be read or compared.`,
  )
  .action(async (a: string, b: string, options: CompareOptions) => {
    await runCompare(a, b, options)
    process.exitCode = exitCodes.ok
  })

async function runCompare(fromA: string, fromB: string, options: CompareOptions): Promise<void> {
  const reports = [fromA, fromB].filter(isReport).length
  if (options.step !== undefined && reports === 0)
    throw new CameoError('USAGE', '--step names a step of reports, and two submissions were given')
  if (options.groundTruth === undefined && reports < 2)
    throw new CameoError(
      'USAGE',
      `${isReport(fromA) ? fromB : fromA} is not a report's folder, so it is read as a submission: give --ground-truth FILE`,
    )
  if (options.groundTruth !== undefined && reports === 2)
    throw new CameoError('USAGE', '--ground-truth is for submissions, and two reports were given')
  const groundTruth = options.groundTruth === undefined ? undefined : truthOf(options.groundTruth)
  const [a, b] = [
    await runOf(fromA, groundTruth, options.step),
    await runOf(fromB, groundTruth, options.step),
  ]
  const { mapA, mapB, identities, difference, verdict } = compareRuns(a, b)
  const holds = verdict !== 'gains nothing'
  if (options.json) {
    const [runA, runB] = [
      { name: a.name, map: mapA },
      { name: b.name, map: mapB },
    ]
    printJson({ a: runA, b: runB, identities, difference, holds, verdict })
    return
  }
  const [low, high] = difference.ci95
  print(`A  MAP ${formatScore(mapA)}  ${a.name}`)
  print(`B  MAP ${formatScore(mapB)}  ${b.name}`)
  print(
    `B − A ${formatGain(difference.value)} (95 % interval ${formatGain(low)} to ${formatGain(high)}) over ${formatCounted(identities, 'identity', 'identities')}`,
  )
  print(
    holds
      ? `the difference holds: B ${verdict === 'gains' ? 'is better' : 'is worse'}`
      : 'the difference does not hold: 0 is inside the interval',
  )
}

const isReport = (from: string) => isFolder(from) || from.endsWith('.json')

function truthOf(file: string): GroundTruth {
  const { groundTruth, warnings } = readGroundTruth(file)
  for (const warning of warnings) note(`cameo: ${warning}`)
  return groundTruth
}

async function runOf(
  from: string,
  groundTruth: GroundTruth | undefined,
  step: string | undefined,
): Promise<MeasuredRun> {
  if (isReport(from)) return runOfReport(await readReport(from), from, step)
  if (groundTruth === undefined) throw new Error('a submission needs ground truth')
  const rankings = readSubmission(from, groundTruth)
  checkSubmissionFits(rankings, groundTruth, from)
  return { name: from, scores: scoreRankings(rankings, groundTruth) }
}
