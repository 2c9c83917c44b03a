import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import {
  parseFold,
  readEnsemble,
  setOfMember,
  type EnsembleMember,
  type Fold,
} from '../../../index/evaluate/ladder/ensemble.js'
import type { EvaluationSet } from '../../../index/evaluate/datasets/evaluation-set.js'
import {
  checkpointOf,
  refuseForgottenCheckpoint,
  trainToFile,
} from '../../../index/evaluate/ladder/train-to-file.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import type { TrainingProgress } from '../../../pipeline/training/train-head.js'
import {
  evaluationSetOf,
  readSource,
  withSourceOptions,
  type SourceOptions,
} from '../../../index/evaluate/datasets/evaluation-source.js'
import { counted, exitCodes, note, pluralOf, print, printJson } from '../../cli/output.js'
import { headSettingsOf, withTrainingOptions, type TrainingOptions } from '../../cli/training-options.js'
import { untilStopped } from '../../cli/until-stopped.js'

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
    .requiredOption('--ground-truth <file>', 'whose clips are whose (train_gt.txt)')
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
      new Option('--resume', 'go on after the last epoch of a training that was stopped').default(false),
    ),
)
  .addHelpText(
    'after',
    `
An ensemble: {"heads": [{"file": "a.onnx"}, {"file": "b.onnx", "embedders": ["lite", "other"], "fold": "2/5",
"settings": {"loss": "cosface"}, "weight": 0.5}, …]}. Files are relative to it; settings are those of this command where it has
none, and seeds count up from --seed; "cameo eval map --ensemble" and "cameo eval ladder --ensemble" take the same file.
With --json a line an epoch {out, epoch, epochs, loss, valMap, seconds}, for each head {out, epoch, classes, clips, noise, valMap, openSet}.
A checkpoint lies beside the output until it is written: kill -9 loses one epoch at the most.
Exit code: 0 written, 2 it could not run, 130 interrupted.`,
  )
  .action(async (options: TrainCommandOptions) => {
    process.exitCode = await untilStopped((signal) => runTrain(options, signal))
  })

async function runTrain(options: TrainCommandOptions, signal: AbortSignal): Promise<number> {
  const members = membersOf(options)
  const isEnsemble = options.ensemble !== undefined
  for (const { file } of members) refuseForgottenCheckpoint(file, options.resume)
  const furtherEmbedders = members.some(({ embedders }) => embedders !== undefined)
  const source = await readSource(options, { furtherEmbedders, mirrored: options.mirror !== false })
  const set = evaluationSetOf(source, {
    gallery: options.groundTruth,
    ...(options.val === undefined ? {} : { val: options.val }),
    ...(options.noise === undefined ? {} : { noise: options.noise }),
  })
  const single = set.galleryTracks.filter((tracks) => tracks.length === 1).length
  if (single > 0)
    note(
      `${counted(single, 'identity has', 'identities have')} one clip with a face: ${pluralOf(single, 'its class rests', 'their classes rest')} on it alone`,
    )
  for (const [at, member] of members.entries()) {
    if (isEnsemble) note(`head ${at + 1} of ${members.length}: ${member.file}`)
    const isStopped = existsSync(checkpointOf(member.file))
    if (isEnsemble && options.resume && !isStopped && existsSync(member.file)) note('it is written already')
    else
      await trainMember(set, member, options, {
        signal,
        resume: options.resume && (isStopped || !isEnsemble),
      })
  }
  return exitCodes.ok
}

type Member = Omit<EnsembleMember, 'weight'>

function membersOf(options: TrainCommandOptions): readonly Member[] {
  const settings = headSettingsOf(options)
  const { ensemble, out, embedders, fold } = options
  if (ensemble !== undefined) return readEnsemble(ensemble, settings)
  if (out === undefined)
    throw new CameoError('USAGE', 'say what is to be written: --out FILE, or --ensemble FILE')
  return [{ file: resolve(out), settings, embedders, fold }]
}

function foldOf(text: string): Fold {
  const fold = parseFold(text)
  if (fold === undefined)
    throw new InvalidArgumentError('a fold is needed, such as 2/5: the second of five is left out.')
  return fold
}

async function trainMember(
  set: EvaluationSet,
  member: Member,
  { json, device, threads }: TrainCommandOptions,
  how: { readonly signal: AbortSignal; readonly resume: boolean },
): Promise<void> {
  const { file: out, settings } = member
  const { valMap, openSet, ...written } = await trainToFile(out, setOfMember(set, member), settings, {
    ...{ ...how, session: { device, intraOpThreads: threads } },
    onResume: (epoch) => note(`going on after epoch ${epoch}`),
    onEpoch: (progress) => tellEpoch(out, progress, json),
  })
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
        ? 'for people absent from training its descriptor loses: the plain one is what it gives'
        : `its descriptor holds ${openSet.residualShare} of what the network adds: people absent from training lose nothing`,
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
