import { resolve } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import {
  parseFold,
  readEnsemble,
  type EnsembleMember,
  type Fold,
} from '../../../index/evaluate/ladder/ensemble.js'
import { refuseForgottenCheckpoint, type WrittenHead } from '../../../index/evaluate/ladder/train-to-file.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import type { TrainingProgress } from '../../../pipeline/training/train-head.js'
import { trainHeads } from '../../../index/evaluate/source/train-heads.js'
import { evaluationSetOf } from '../../../index/evaluate/source/evaluation-source.js'
import { counted, exitCodes, note, print, printJson } from '../../cli/output.js'
import { headSettingsOf, withTrainingOptions, type TrainingOptions } from '../../cli/training-options.js'
import { untilStopped } from '../../cli/until-stopped.js'
import { type SourceOptions, withSourceOptions } from '../../cli/source-options.js'
import { readGivenSource } from '../../reports/given-source.js'

interface TrainCommandOptions extends SourceOptions, TrainingOptions {
  readonly groundTruth: string
  readonly val?: string
  readonly out?: string
  readonly embedders?: readonly string[]
  readonly fold?: Fold
  readonly ensemble?: string
  readonly resume: boolean
}

export const trainCommand = withTrainingOptions(
  withSourceOptions(new Command('train'))
    .description(
      'Train a head on a labelled archive: class scores for its people, a better descriptor for all.',
    )
    .requiredOption('--ground-truth <file>', 'the clips of each person (train_gt.txt)')
    .option('--val <file>', 'ground truth to choose the best epoch by; its unnamed clips are strangers')
    .option('--out <file>', 'ONNX file to write')
    .addOption(
      new Option(
        '--embedders <names>',
        "whose embeddings are concatenated, with commas (default: the pack's own)",
      ).argParser((names: string) => names.split(',')),
    )
    .addOption(
      new Option('--fold <k/n>', 'leave out every n-th clip of a person, from the k-th on').argParser(foldOf),
    )
    .addOption(
      new Option('--ensemble <file>', 'train the heads that this JSON declares').conflicts([
        'out',
        'embedders',
        'fold',
      ]),
    )
    .addOption(
      new Option('--resume', 'continue after the last epoch of a training that was stopped').default(false),
    ),
)
  .addHelpText(
    'after',
    `
An ensemble: {"heads": [{"file": "a.onnx"}, {"file": "b.onnx", "embedders": ["lite", "other"], "fold": "2/5",
"settings": {"loss": "cosface"}, "weight": 0.5}, …]}. Files are relative to it; settings default to those of this command, and
seeds count up from --seed; "cameo eval map --ensemble" and "cameo eval ladder --ensemble" take the same file.
With --json, one line per epoch {out, epoch, epochs, loss, valMap, seconds} and one per head {out, epoch, classes, clips, noise, valMap, openSet}.
A checkpoint is kept beside the output until the output is written: kill -9 loses at most one epoch.
Exit code: 0 written, 2 it could not run, 130 interrupted.`,
  )
  .action(async (options: TrainCommandOptions) => {
    process.exitCode = await untilStopped((signal) => runTrain(options, signal))
  })

async function runTrain(options: TrainCommandOptions, signal: AbortSignal): Promise<number> {
  const { device, threads, resume, json } = options
  const members = membersOf(options)
  for (const { file } of members) refuseForgottenCheckpoint(file, resume)
  const furtherEmbedders = members.some(({ embedders }) => embedders !== undefined)
  const source = await readGivenSource(options, { furtherEmbedders, mirrored: options.mirror !== false })
  const set = evaluationSetOf(source, {
    gallery: options.groundTruth,
    ...(options.val === undefined ? {} : { val: options.val }),
    ...(options.noise === undefined ? {} : { noise: options.noise }),
  })
  for (const warning of set.warnings) note(warning)
  const session = { device, intraOpThreads: threads }
  await trainHeads(
    set,
    { members, resume, session, signal, isEnsemble: options.ensemble !== undefined },
    {
      notify: note,
      onEpoch: (file, progress) => tellEpoch(file, progress, json),
      onWritten: (file, head) => tellWritten(file, head, json),
    },
  )
  return exitCodes.ok
}

type Member = Omit<EnsembleMember, 'weight'>

function membersOf(options: TrainCommandOptions): readonly Member[] {
  const settings = headSettingsOf(options)
  const { ensemble, out, embedders, fold } = options
  if (ensemble !== undefined) return readEnsemble(ensemble, settings)
  if (out === undefined) throw new CameoError('USAGE', 'say what to write: --out FILE, or --ensemble FILE')
  return [{ file: resolve(out), settings, embedders, fold }]
}

function foldOf(text: string): Fold {
  const fold = parseFold(text)
  if (fold === undefined)
    throw new InvalidArgumentError('a fold is needed, for example 2/5: the second of five is left out.')
  return fold
}

function tellWritten(out: string, { valMap, openSet, ...written }: WrittenHead, json: boolean): void {
  if (json) {
    printJson({ out, ...written, valMap: valMap ?? null, openSet: openSet ?? null })
    return
  }
  print(
    `wrote ${out}: ${counted(written.classes, 'class', 'classes')} from ${counted(written.clips, 'track')}, ${written.noise} of noise; epoch ${written.epoch}`,
  )
  if (valMap !== undefined) print(`MAP on val ${(100 * valMap).toFixed(2)}`)
  if (openSet !== undefined)
    print(
      openSet.residualShare === 0
        ? 'for people absent from training its descriptor is worse: the head returns the plain descriptor'
        : `its descriptor contains ${openSet.residualShare} of what the network adds: people absent from training lose nothing`,
    )
}

function tellEpoch(
  out: string,
  { epoch, epochs, loss, watched, isBest, seconds }: TrainingProgress,
  json: boolean,
): void {
  if (json) printJson({ out, epoch, epochs, loss, valMap: watched ?? null, seconds })
  const val = watched === undefined ? '' : `  val MAP ${(100 * watched).toFixed(2)}${isBest ? ' *' : ''}`
  const eta = Math.ceil((epochs - epoch) * seconds)
  note(
    `epoch ${String(epoch).padStart(String(epochs).length)}/${epochs}  loss ${loss.toFixed(4)}${val}  ${seconds.toFixed(1)} s  ETA ${eta} s`,
  )
}
