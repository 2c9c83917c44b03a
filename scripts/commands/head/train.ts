import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import type { EvaluationSet } from '../../../index/evaluate/evaluation-set.js'
import { measureOpenSet, trainingRows, trainOnSet } from '../../../index/evaluate/head-training.js'
import { CameoError } from '../../../pipeline/errors.js'
import {
  readCheckpoint,
  removeCheckpoint,
  writeCheckpoint,
  writeFileAtomically,
} from '../../../pipeline/head/checkpoint.js'
import { writeHead } from '../../../pipeline/head/head.js'
import { parseLoss } from '../../../pipeline/head/losses/parse-loss.js'
import { createNetwork } from '../../../pipeline/head/network.js'
import type { TrainingRows } from '../../../pipeline/head/sampler.js'
import type { HeadSettings, TrainingProgress } from '../../../pipeline/head/train-head.js'
import type { DeviceChoice } from '../../../pipeline/models/device.js'
import {
  evaluationSetOf,
  headSettingsOf,
  readSource,
  withSourceOptions,
  withTrainingOptions,
  type Source,
  type SourceOptions,
  type TrainingOptions,
} from '../../evaluation-input.js'
import { defaultThreads, deviceOption, jsonOption, numberWithin } from '../../options.js'
import { exitCodes, note, print, printJson } from '../../output.js'
import { untilStopped } from '../../until-stopped.js'

interface TrainCommandOptions extends SourceOptions, TrainingOptions {
  readonly groundTruth: string
  readonly val?: string
  readonly noise?: string
  readonly out: string
  readonly resume: boolean
  readonly threads: number
  readonly device: DeviceChoice
  readonly json: boolean
}

export const trainCommand = withTrainingOptions(
  withSourceOptions(new Command('train'))
    .description(
      'Train a head on a labelled archive: class scores for its people, a better descriptor for all.',
    )
    .requiredOption('--ground-truth <file>', 'whose clips are whose (train_gt.txt)')
    .option('--val <file>', 'ground truth to choose the best epoch by; its unnamed clips are strangers')
    .option('--noise <file>', "strangers' clips, a name a line")
    .requiredOption('--out <file>', 'ONNX file to write')
    .addOption(
      new Option('--resume', 'go on after the last epoch of a training that was stopped').default(false),
    )
    .addOption(
      new Option('--threads <n>', 'of training')
        .default(defaultThreads)
        .argParser(numberWithin(1, 256, 'integer')),
    )
    .addOption(deviceOption())
    .addOption(jsonOption()),
)
  .addHelpText(
    'after',
    `
With --json a line an epoch {epoch, epochs, loss, valMap, seconds}, at the end {out, epoch, classes, clips, noise, valMap, openSet}.
A checkpoint lies beside the output until it is written: kill -9 loses one epoch at the most.
Exit code: 0 written, 2 it could not run, 130 interrupted.`,
  )
  .action(async (options: TrainCommandOptions) => {
    process.exitCode = await untilStopped((signal) => runTrain(options, signal))
  })

async function runTrain(options: TrainCommandOptions, signal: AbortSignal): Promise<number> {
  const settings = headSettingsOf(options)
  const out = resolve(options.out)
  const checkpointFile = `${out}.checkpoint`
  if (!options.resume && existsSync(checkpointFile))
    throw new CameoError(
      'USAGE',
      `a training to ${out} was stopped: give --resume to go on, or delete ${checkpointFile} to begin anew`,
    )
  const source = await readSource(options)
  const set = evaluationSetOf(source, {
    gallery: options.groundTruth,
    ...(options.val === undefined ? {} : { val: options.val }),
    ...(options.noise === undefined ? {} : { noise: options.noise }),
  })
  const single = set.galleryTracks.filter((tracks) => tracks.length === 1).length
  if (single > 0) note(`${single} identities have one clip with a face: their classes rest on it alone`)
  const rows = trainingRows(set, { noise: true })
  const digest = digestOfRows(rows, set)
  const binding = JSON.stringify({ settings, digest, embedder: set.features.embedder })
  const resumed = options.resume ? readCheckpoint(checkpointFile, binding) : undefined
  if (resumed !== undefined) note(`going on after epoch ${resumed.state.epoch}`)
  const session = { device: options.device, intraOpThreads: options.threads }
  const trained = await trainOnSet(set, settings, true, {
    session,
    signal,
    ...(resumed === undefined ? {} : { resume: resumed }),
    onEpoch: (progress) => tellEpoch(progress, options.json),
    onCheckpoint: (checkpoint) => writeCheckpoint(checkpointFile, binding, checkpoint),
  })
  await trained.head.dispose()
  const openSet = set.val === undefined ? undefined : await measureOpenSet(set, settings, { session, signal })
  const { best } = trained
  const metadata = metadataOf(source, set, settings, {
    digest,
    epochs: best.epoch,
    // What was not measured is not indexed.
    residualShare: openSet?.residualShare ?? 0,
    figures: {
      clips: rows.labels.filter((label) => label > 0).length,
      noise: rows.labels.filter((label) => label === 0).length,
      ...(best.watched === undefined ? {} : { valMap: best.watched }),
      ...(openSet === undefined ? {} : { openSetBaselineMap: openSet.baselineMap }),
    },
  })
  const network = createNetwork(settings.network, set.features.dimension, () => 0.5)
  const loss = parseLoss(settings.loss, settings.scale)
  writeFileAtomically(
    out,
    writeHead(best.tensors, { network, loss, residualShare: metadata.residualShare }, metadata),
  )
  removeCheckpoint(checkpointFile)
  const { clips, noise } = metadata.figures
  const result = { out, epoch: best.epoch, classes: set.identities.length, clips, noise }
  if (options.json) printJson({ ...result, valMap: best.watched ?? null, openSet: openSet ?? null })
  else {
    print(
      `wrote ${out}: ${set.identities.length} classes from ${clips} tracks, ${noise} of noise; epoch ${best.epoch}`,
    )
    if (best.watched !== undefined) print(`MAP on val ${(100 * best.watched).toFixed(2)}`)
    if (openSet !== undefined)
      print(
        openSet.residualShare === 0
          ? 'for people absent from training its descriptor loses: the plain one is what it gives'
          : `its descriptor holds ${openSet.residualShare} of what the network adds: people absent from training lose nothing`,
      )
  }
  return exitCodes.ok
}

function tellEpoch({ epoch, epochs, loss, watched, isBest, seconds }: TrainingProgress, json: boolean): void {
  if (json) printJson({ epoch, epochs, loss, valMap: watched ?? null, seconds })
  const val = watched === undefined ? '' : `  val MAP ${(100 * watched).toFixed(2)}${isBest ? ' *' : ''}`
  const eta = Math.ceil((epochs - epoch) * seconds)
  note(
    `epoch ${String(epoch).padStart(String(epochs).length)}/${epochs}  loss ${loss.toFixed(4)}${val}  ${seconds.toFixed(1)} s  ETA ${eta} s`,
  )
}

function metadataOf(
  { embedderName }: Source,
  { features, identities }: EvaluationSet,
  { network, loss, scale, seed }: HeadSettings,
  made: {
    readonly digest: string
    readonly epochs: number
    readonly residualShare: number
    readonly figures: Readonly<Record<string, number>>
  },
) {
  const { digest, epochs, residualShare, figures } = made
  return {
    version: 1 as const,
    embedders: [{ digest: features.embedder, name: embedderName, dimension: features.dimension }],
    classes: [...identities],
    network,
    loss,
    scale,
    seed,
    epochs,
    residualShare,
    trainingDigest: digest,
    figures: { ...figures },
  }
}

/** Of what a head is trained on: rows, labels, identities and embeddings. */
function digestOfRows({ tracks, labels, faces }: TrainingRows, { identities }: EvaluationSet): string {
  const hash = createHash('sha256').update(JSON.stringify(identities))
  for (const array of [tracks, labels, faces.firstFace, faces.embeddings, faces.qualities])
    hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
  return hash.digest('hex')
}
