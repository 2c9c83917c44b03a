import { Command, Option } from 'commander'
import { bootstrapMean } from '../../../index/evaluate/metrics/bootstrap.js'
import {
  checkSubmissionFits,
  readGroundTruth,
  readSubmission,
} from '../../../index/evaluate/datasets/ground-truth.js'
import {
  mapCutoff,
  meanAveragePrecision,
  scoreRankings,
} from '../../../index/evaluate/metrics/mean-average-precision.js'
import { csvCell } from '../../../index/evaluate/report/csv.js'
import { formatCounted, formatScore } from '../../../index/evaluate/report/format.js'
import { CameoError, messageOf } from '../../../pipeline/common/errors.js'
import { writePrivateFile } from '../../../pipeline/common/private-files.js'
import { jsonOption } from '../../cli/options.js'
import { exitCodes, note, print, printJson } from '../../cli/output.js'

interface ScoreOptions {
  readonly groundTruth: string
  readonly perIdentity?: string
  readonly json: boolean
}

export const scoreCommand = new Command('score')
  .description('MAP@100 of a submission, as iQIYI-VID scores it. Needs no archive and no models.')
  .argument('<submission>', 'lines "ID CLIP CLIP …", best first')
  .requiredOption('--ground-truth <file>', 'lines "ID CLIP CLIP …", or "CLIP ID"')
  .addOption(new Option('--per-identity <file>', 'write a CSV of identity, positives, found and AP'))
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
AP is divided by all positives of an identity, also those beyond the hundredth place; an identity that the submission
lacks scores 0. If a line repeats a clip, its first place counts. Refused are more than ${mapCutoff} clips on a line, two
lines of one identity, and identities that the ground truth does not have.
With --json: {map, ci95, identities, perIdentity: [{identity, positives, found, ap}]}; ci95 is the 95 % confidence
interval of MAP (bootstrap over identities).
Exit code: 0 scored, 2 the submission or the ground truth was refused.`,
  )
  .action((submission: string, options: ScoreOptions) => {
    runScore(submission, options)
    process.exitCode = exitCodes.ok
  })

function runScore(submission: string, options: ScoreOptions): void {
  const { groundTruth, warnings } = readGroundTruth(options.groundTruth)
  const rankings = readSubmission(submission, groundTruth)
  checkSubmissionFits(rankings, groundTruth, submission)
  const scores = scoreRankings(rankings, groundTruth)
  const perIdentity = scores.map(({ identity, positives, found, averagePrecision }) => ({
    identity,
    positives,
    found,
    ap: averagePrecision,
  }))
  const map = meanAveragePrecision(scores)
  const ci95 = bootstrapMean(perIdentity.map(({ ap }) => ap))
  for (const warning of warnings) note(`cameo: ${warning}`)
  if (options.perIdentity !== undefined) writeCsv(options.perIdentity, perIdentity)
  if (options.json) {
    printJson({ map, ci95, identities: perIdentity.length, perIdentity })
    return
  }
  print(
    `MAP@${mapCutoff} ${formatScore(map)} (95 % interval ${formatScore(ci95[0])} to ${formatScore(ci95[1])}) over ${formatCounted(perIdentity.length, 'identity', 'identities')}`,
  )
  const missing = perIdentity.length - rankings.size
  if (missing > 0)
    print(
      `${formatCounted(missing, 'identity has', 'identities have')} no line in the submission and scored 0`,
    )
}

interface Row {
  readonly identity: string
  readonly positives: number
  readonly found: number
  readonly ap: number
}

/** RFC 4180, UTF-8. */
function writeCsv(file: string, rows: readonly Row[]): void {
  const lines = rows.map(({ identity, positives, found, ap }) => [identity, positives, found, ap.toFixed(6)])
  const text = [['identity', 'positives', 'found', 'ap'], ...lines]
    .map((cells) => `${cells.map(csvCell).join(',')}\r\n`)
    .join('')
  try {
    writePrivateFile(file, text)
  } catch (cause) {
    throw new CameoError(
      'REPORT_NOT_WRITTEN',
      `the table could not be written to ${file}: ${messageOf(cause)}`,
      {
        cause,
      },
    )
  }
}
