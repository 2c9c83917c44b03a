import { Option, type Command } from 'commander'
import { z } from 'zod'
import { CameoError } from '../../pipeline/common/errors.js'
import { headSettingsSchema, type HeadSettings } from '../../pipeline/training/train-head.js'
import type { DeviceChoice } from '../../pipeline/models/device.js'
import { defaultThreads, deviceOption, jsonOption, numberWithin } from './options.js'

/** The training options, as commander gives them. */
export interface TrainingOptions {
  readonly loss?: string
  readonly scale?: number
  readonly network?: 'residual' | 'paper'
  readonly width?: number
  readonly depth?: number
  readonly activation?: 'prelu' | 'relu' | 'silu'
  readonly dropout?: number
  readonly optimizer?: 'sgd' | 'adam'
  readonly learningRate?: number
  readonly weightDecay?: number
  readonly schedule?: 'cosine' | 'step' | 'constant'
  readonly epochs?: number
  readonly batch?: number
  readonly facesPerSample?: string
  readonly embeddingNoise?: number
  readonly balanced?: boolean
  readonly patience?: number
  readonly mirror?: boolean
  readonly seed?: number
  readonly noise?: string
  readonly threads: number
  readonly device: DeviceChoice
  readonly json: boolean
}

export function withTrainingOptions(command: Command): Command {
  const number = (flags: string, text: string, low: number, high: number, kind: 'any' | 'integer' = 'any') =>
    new Option(flags, text).argParser(numberWithin(low, high, kind))
  return command
    .option(
      '--noise <file>',
      "strangers' clips to train on, one name per line (default: half of val's clips that no line names)",
    )
    .addOption(
      new Option(
        '--loss <loss>',
        'softmax, norm-softmax, arcface, cosface, sphereface, cm1, cm2, intra, inter, triplet; NAME:MARGIN; sums with + (default: arcface:0.3)',
      ),
    )
    .addOption(number('--scale <s>', 'factor of the cosines (default: 20)', 1, 256))
    .addOption(
      new Option('--network <kind>', 'the layers (default: residual)').choices(['residual', 'paper']),
    )
    .addOption(number('--width <n>', 'width of the hidden layers (default: 1024)', 1, 16_384, 'integer'))
    .addOption(number('--depth <n>', 'number of hidden layers (default: 1)', 1, 8, 'integer'))
    .addOption(new Option('--activation <name>', '(default: prelu)').choices(['prelu', 'relu', 'silu']))
    .addOption(number('--dropout <share>', '(default: 0)', 0, 0.9))
    .addOption(new Option('--optimizer <name>', '(default: adam)').choices(['sgd', 'adam']))
    .addOption(number('--learning-rate <rate>', '(default: 3e-4; sgd: 0.1)', 1e-8, 10))
    .addOption(number('--weight-decay <decay>', '(default: 5e-4)', 0, 1))
    .addOption(new Option('--schedule <name>', '(default: cosine)').choices(['cosine', 'step', 'constant']))
    .addOption(number('--epochs <n>', '(default: 40)', 1, 10_000, 'integer'))
    .addOption(number('--batch <n>', 'samples per step (default: 256)', 2, 65_536, 'integer'))
    .addOption(
      new Option(
        '--faces-per-sample <list>',
        'how many faces of a track a sample takes, at random (default: 1,3,5)',
      ),
    )
    .addOption(number('--embedding-noise <length>', 'added to a sample of length 1 (default: 0.3)', 0, 10))
    .addOption(
      new Option('--no-mirror', 'do not train on the mirror images that "cameo ingest --keep-mirrored" kept'),
    )
    .addOption(new Option('--balanced', 'draw every identity equally often'))
    .addOption(
      number(
        '--patience <epochs>',
        'end after this many epochs without a gain on val (default: 0, never)',
        0,
        10_000,
        'integer',
      ),
    )
    .addOption(number('--seed <n>', '(default: 1)', 0, 2 ** 31 - 1, 'integer'))
    .addOption(
      new Option('--threads <n>', 'threads of the training')
        .default(defaultThreads)
        .argParser(numberWithin(1, 256, 'integer')),
    )
    .addOption(deviceOption())
    .addOption(jsonOption())
}

/** Throws USAGE if the options contradict each other. */
export function headSettingsOf(options: TrainingOptions): HeadSettings {
  const { network, width, depth, activation, dropout, weightDecay, embeddingNoise, facesPerSample } = options
  const optimizer = options.optimizer ?? 'adam'
  const given = {
    network: { kind: network, width, depth, activation, dropout },
    loss: options.loss,
    scale: options.scale,
    optimizer: { kind: optimizer, weightDecay },
    learningRate: options.learningRate ?? (optimizer === 'sgd' ? 0.1 : undefined),
    schedule: options.schedule,
    epochs: options.epochs,
    batch: options.batch,
    facesPerSample: facesPerSample?.split(',').map(Number),
    noise: embeddingNoise,
    mirror: options.mirror,
    balanced: options.balanced,
    patience: options.patience,
    seed: options.seed,
  }
  const parsed = headSettingsSchema.safeParse(given)
  if (!parsed.success)
    throw new CameoError('USAGE', `the training options do not fit: ${z.prettifyError(parsed.error)}`)
  return parsed.data
}
