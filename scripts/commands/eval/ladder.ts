import { performance } from 'node:perf_hooks'
import { Command, Option } from 'commander'
import { readEnsemble } from '../../../index/evaluate/ladder/ensemble.js'
import type { EvaluationSet } from '../../../index/evaluate/datasets/evaluation-set.js'
import type { LadderSet, LadderStep } from '../../../index/evaluate/ladder/ladder-steps.js'
import { climbLadder, type Ladder } from '../../../index/evaluate/ladder/ladder.js'
import { describePool, type PoolChoice } from '../../../index/evaluate/datasets/pools.js'
import { counted } from '../../../pipeline/common/counted.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import { evaluationSetOf, suspectWarnings } from '../../../index/evaluate/source/evaluation-source.js'
import { writeLadderReport } from '../../reports/ladder-report.js'
import { numberWithin } from '../../cli/options.js'
import { exitCodes, note, print, printJson } from '../../cli/output.js'
import { headSettingsOf, withTrainingOptions, type TrainingOptions } from '../../cli/training-options.js'
import { untilStopped } from '../../cli/until-stopped.js'
import { poolOption, type SourceOptions, withSourceOptions } from '../../cli/source-options.js'
import { readGivenSource } from '../../reports/given-source.js'

interface LadderCommandOptions extends SourceOptions, TrainingOptions {
  readonly gallery: string
  readonly val: string
  readonly groundTruth: string
  readonly pool: PoolChoice
  readonly heads: number
  readonly ensemble?: string
  readonly report?: string
}

export const ladderCommand = withTrainingOptions(
  withSourceOptions(new Command('ladder'))
    .description(
      'Measure what each step gains on your labelled clips: baseline, quality pooling, MLP head, noise, ensemble, context.',
    )
    .requiredOption('--gallery <file>', 'ground truth to train on (train_gt.txt)')
    .requiredOption('--val <file>', 'ground truth to choose by (val_gt.txt)')
    .requiredOption('--ground-truth <file>', 'ground truth that is scored, once (test_gt.txt)')
    .addOption(poolOption())
    .addOption(
      new Option('--heads <n>', 'number of heads in the ensemble, each with its own seed')
        .default(5)
        .argParser(numberWithin(1, 100, 'integer')),
    )
    .addOption(
      new Option(
        '--ensemble <file>',
        'JSON that declares the ensemble (see "cameo head train --help")',
      ).conflicts('heads'),
    )
    .option('--report <dir>', 'write report.html, report.json and per-identity.csv there'),
)
  .addHelpText(
    'after',
    `
Ground truth: lines "CLIP ID", or lines "ID CLIP CLIP ...". Names match file names, with or without folder. Clips that no
line names and that share the numbered series of val's or test's names (CLIP_VAL_) are that half's strangers.
Everything is trained on the gallery and chosen by val; a step that does not help there is left out and marked. If the
archive has several embedders, a head on all of them together is another step.
Clips of the gallery are never ranked. The output says which clips were ranked.
With --json: {steps: [{name, map, ci95, valMap, taken, gain: {value, ci95}, note, exactMap}], openSet, pool, coverage, warnings};
pool as "cameo eval map" gives it, coverage: how much of the archive was looked at.
Exit code: 0 measured, 2 it could not run, 130 interrupted.`,
  )
  .action(async (options: LadderCommandOptions) => {
    process.exitCode = await untilStopped((signal) => runLadder(options, signal))
  })

async function runLadder(options: LadderCommandOptions, signal: AbortSignal): Promise<number> {
  const startedAt = new Date()
  const startedMs = performance.now()
  const settings = headSettingsOf(options)
  const ensemble = options.ensemble === undefined ? options.heads : readEnsemble(options.ensemble, settings)
  const source = await readGivenSource(options, {
    furtherEmbedders: true,
    mirrored: options.mirror !== false,
  })
  const read = evaluationSetOf(source, options)
  for (const warning of read.warnings) note(warning)
  if (!isLadderSet(read)) throw new CameoError('USAGE', 'the ladder needs --val and --ground-truth')
  const { features, identities } = read
  note(
    `${counted(features.clipNames.length, 'clip')}, ${counted(features.trackClips.length, 'track')}, ${counted(identities.length, 'identity', 'identities')}`,
  )
  const { context } = source
  const ladder = await climbLadder(read, {
    settings,
    ensemble,
    session: { device: options.device, intraOpThreads: options.threads },
    signal,
    onNews: note,
    ...(context === undefined ? {} : { context }),
  })
  const suspects = suspectWarnings(read, ladder.steps.at(-1)?.ranked ?? [])
  for (const warning of suspects) note(warning)
  const warnings = [...read.warnings, ...suspects]
  const set = { ...read, warnings }
  if (options.report !== undefined) {
    const durationS = (performance.now() - startedMs) / 1000
    await writeLadderReport(options.report, set, ladder, {
      settings,
      startedAt,
      durationS,
      ensemble,
      thumbnails: source.thumbnails,
    })
    note(`wrote ${options.report}`)
  }
  if (options.json)
    printJson({ ...toJson(ladder), pool: set.testPoolAccount, coverage: source.coverage, warnings })
  else {
    printLadder(ladder)
    print(describePool(set.testPoolAccount))
  }
  return exitCodes.ok
}

const isLadderSet = (set: EvaluationSet): set is LadderSet => set.val !== undefined && set.test !== undefined

function toJson({ steps, openSet }: Ladder) {
  return {
    steps: steps.map(({ name, map, ci95, valMap, isTaken, gain, note: why, exactMap }) => ({
      name,
      map,
      ci95,
      valMap,
      taken: isTaken,
      gain: gain ?? null,
      note: why ?? null,
      exactMap: exactMap ?? null,
    })),
    openSet: openSet ?? null,
  }
}

const percent = (share: number) => (100 * share).toFixed(2)

function printLadder({ steps, openSet }: Ladder): void {
  const width = Math.max(...steps.map(({ name }) => name.length))
  for (const step of steps) print(rowOf(step, width))
  if (openSet === undefined) {
    print('people absent from training: not measured, because at least four people are needed')
    return
  }
  const share = openSet.residualShare
  print(
    `people absent from training (val): plain descriptor ${percent(openSet.baselineMap)}; head's ` +
      openSet.maps.map(({ share: of, map }) => `${percent(map)} with ${of}`).join(', ') +
      (share === 0 ? '; index the plain descriptor' : `; index ${share} of the head's`),
  )
}

function rowOf({ name, map, ci95, gain, note: why, exactMap }: LadderStep, width: number): string {
  const interval = `[${percent(ci95[0])}, ${percent(ci95[1])}]`
  const change =
    gain === undefined
      ? ''
      : `  ${gain.value < 0 ? '' : '+'}${percent(gain.value)} [${percent(gain.ci95[0])}, ${percent(gain.ci95[1])}]`
  const exact = exactMap === undefined ? '' : `  (exact search ${percent(exactMap)})`
  return `${name.padEnd(width)}  ${percent(map).padStart(6)} ${interval}${change}${exact}${why === undefined ? '' : `  ${why}`}`
}
