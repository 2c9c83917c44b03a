import { performance } from 'node:perf_hooks'
import { Command, Option } from 'commander'
import type { CoverageSum } from '../../../index/coverage/sum-coverage.js'
import { formatSubmission } from '../../../index/evaluate/datasets/ground-truth.js'
import { describePool, type PoolChoice } from '../../../index/evaluate/datasets/pools.js'
import { namedRankings } from '../../../index/evaluate/ladder/measure-rankings.js'
import { evaluateMap, scoresByHeads, type MapResult } from '../../../index/evaluate/source/evaluate-map.js'
import { counted } from '../../../pipeline/common/counted.js'
import { CameoError, messageOf } from '../../../pipeline/common/errors.js'
import { writePrivateFile } from '../../../pipeline/common/private-files.js'
import type { DeviceChoice } from '../../../pipeline/models/device.js'
import { defaultThreads, deviceOption, jsonOption, numberWithin } from '../../cli/options.js'
import { exitCodes, note, print, printJson } from '../../cli/output.js'
import { poolOption, type SourceOptions, withSourceOptions } from '../../cli/source-options.js'
import { writeMapReport } from '../../reports/ladder-report.js'
import { readGivenSource } from '../../reports/given-source.js'

interface MapOptions extends SourceOptions {
  readonly groundTruth: string
  readonly gallery?: string
  readonly val?: string
  readonly pool: PoolChoice
  readonly head?: readonly string[]
  readonly ensemble?: string
  readonly submission?: string
  readonly report?: string
  readonly exact: boolean
  readonly threads: number
  readonly device: DeviceChoice
  readonly json: boolean
}

export const mapCommand = withSourceOptions(new Command('map'))
  .description('MAP@100 as in iQIYI-VID: for each identity the best 100 clips, against ground truth.')
  .requiredOption('--ground-truth <file>', 'what is scored (val_gt.txt)')
  .option(
    '--gallery <file>',
    'clips that show what each identity looks like (default: the faces of "cameo enroll", by name)',
  )
  .option('--val <file>', 'clips of a further list (val_gt.txt), which are not ranked, as in the ladder')
  .option('--head <files...>', 'score by the classes of these heads, instead of similarity to the gallery')
  .addOption(
    new Option(
      '--ensemble <file>',
      'score by the heads of this JSON (see "cameo head train --help")',
    ).conflicts('head'),
  )
  .addOption(poolOption())
  .option('--submission <file>', 'also write the answer in the format of the challenge')
  .option('--report <dir>', 'also write report.html, report.json and per-identity.csv there')
  .option('--exact', 'compare with every descriptor instead of the vector index', false)
  .addOption(
    new Option('--threads <n>', 'threads that run the heads')
      .default(defaultThreads)
      .argParser(numberWithin(1, 256, 'integer')),
  )
  .addOption(deviceOption())
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
Ground truth: lines "CLIP ID", or lines "ID CLIP CLIP ...". Ranked are clips of the ground truth. If its names are a
numbered series (CLIP_VAL_0000001.mp4), other clips of the series are ranked, too; otherwise all clips that no list names.
Clips of the gallery (with --head: what the heads were trained on, given as --gallery) are neither ranked nor searched for.
The output says which clips were ranked. With the same lists and --val they are those of "cameo eval ladder".
With --json: {map, ci95, identities, found, positives, exactMap, pool: {clips, listed, unlisted, leftOut: [{why, clips}]}, coverage,
warnings}; coverage: how much of the archive was looked at.
Exit code: 0 measured, 2 it could not run.`,
  )
  .action(async (options: MapOptions) => {
    await runMap(options)
    process.exitCode = exitCodes.ok
  })

async function runMap(options: MapOptions): Promise<void> {
  const startedAt = new Date()
  const startedMs = performance.now()
  const { device, threads } = options
  const source = await readGivenSource(options, { furtherEmbedders: scoresByHeads(options) })
  const session = { device, intraOpThreads: threads }
  const result = await evaluateMap(source, { ...options, session })
  const { set, how, map, ci95, scores, ranked } = result
  for (const warning of set.warnings) note(warning)
  if (options.submission !== undefined) writeSubmission(options.submission, result)
  if (options.report !== undefined) {
    const durationS = (performance.now() - startedMs) / 1000
    await writeMapReport(options.report, set, {
      ...{ how, map, ci95, scores, ranked, startedAt, durationS, thumbnails: source.thumbnails },
    })
    note(`wrote ${options.report}`)
  }
  tell(result, source.coverage, options.json)
}

function tell(
  { set, map, ci95, scores, exactMap }: MapResult,
  coverage: CoverageSum | null,
  json: boolean,
): void {
  const found = scores.reduce((sum, score) => sum + score.found, 0)
  const positives = scores.reduce((sum, score) => sum + score.positives, 0)
  if (json) {
    printJson({
      ...{ map, ci95, identities: scores.length, found, positives, exactMap: exactMap ?? null },
      ...{ pool: set.testPoolAccount, coverage, warnings: set.warnings },
    })
    return
  }
  print(
    `MAP@100 ${(100 * map).toFixed(2)} [${(100 * ci95[0]).toFixed(2)}, ${(100 * ci95[1]).toFixed(2)}] over ${counted(scores.length, 'identity', 'identities')}; ` +
      `${found} of ${counted(positives, 'clip')} found${exactMap === undefined ? '' : `; exact search ${(100 * exactMap).toFixed(2)}`}`,
  )
  print(describePool(set.testPoolAccount))
}

function writeSubmission(file: string, { set, ranked }: MapResult): void {
  try {
    writePrivateFile(file, formatSubmission(namedRankings(set, set.test, ranked)))
  } catch (cause) {
    throw new CameoError('USAGE', `the submission ${file} cannot be written: ${messageOf(cause)}`, { cause })
  }
  note(`wrote ${file}`)
}
