import { z } from 'zod'
import { CameoError } from '../common/errors.js'
import type { SessionOptions } from '../models/session.js'
import { createHeadRunner, type Head } from './trained-head.js'
import { parseLoss } from './losses/parse-loss.js'
import { createNetwork } from './network.js'
import { optimizerSchema } from './optimizer.js'
import { inputDimension } from '../describe/pooled-input.js'
import { seededPart } from '../common/seeded-random.js'
import type { TrainingRows } from './sampler.js'
import type { HeadTensors } from './step-tensors.js'
import { createTrainer, type EpochResult, type TrainerState } from './trainer.js'
import { counted } from '../common/counted.js'
import { networkSchema } from '../describe/head/head-metadata.js'

/** All settings that affect the result of a training. */
export const headSettingsSchema = z.strictObject({
  network: networkSchema.prefault({}),
  /** See `parseLoss`. */
  loss: z.string().default('arcface:0.3'),
  /**
   * s of the cosine losses. A head is trained on few clips per person, so 64, the usual value for embedders, is too
   * sharp.
   */
  scale: z.number().positive().max(256).default(20),
  optimizer: optimizerSchema.prefault({ kind: 'adam' }),
  learningRate: z.number().positive().max(10).default(3e-4),
  /** `step` divides by 10 at 3/4 and at 7/8 of the epochs (30 and 35 of 40). */
  schedule: z.enum(['cosine', 'step', 'constant']).default('cosine'),
  epochs: z.int().min(1).max(10_000).default(40),
  batch: z.int().min(2).max(65_536).default(256),
  facesPerSample: z.array(z.int().min(1)).min(1).default([1, 3, 5]),
  noise: z.number().min(0).max(10).default(0.3),
  /** Has an effect if mirror images were stored. */
  mirror: z.boolean().default(true),
  balanced: z.boolean().default(false),
  /** Training ends after this number of epochs without a better watched value; 0: never. */
  patience: z.int().min(0).default(0),
  seed: z.int().default(1),
})

export type HeadSettings = z.infer<typeof headSettingsSchema>

const schedules: Readonly<Record<HeadSettings['schedule'], (share: number) => number>> = {
  cosine: (share) => 0.5 * (1 + Math.cos(Math.PI * share)),
  step: (share) => (share < 0.75 ? 1 : share < 0.875 ? 0.1 : 0.01),
  constant: () => 1,
}

/** Rows per class in a batch if a loss needs pairs. */
const rowsOfPairs = 4

/** Progress of a training, reported after each epoch. */
export interface TrainingProgress extends EpochResult {
  readonly epochs: number
  /** Watched value of the head after the epoch, if a value is watched; higher is better. */
  readonly watched: number | undefined
  readonly isBest: boolean
}

export interface TrainHeadOptions {
  readonly session: Pick<SessionOptions, 'device' | 'intraOpThreads'>
  /**
   * Computes the watched value that decides which epoch's head is kept, for example MAP on val. If absent, the last
   * epoch's head is kept.
   */
  readonly watch?: (head: Head) => Promise<number>
  /** Number of epochs between two computations of the watched value. */
  readonly watchEvery?: number
  readonly onStep?: (epoch: number, done: number, steps: number) => void
  readonly onEpoch?: (progress: TrainingProgress) => void
  readonly signal?: AbortSignal
  /** The state at which an earlier training with the same settings and data stopped. */
  readonly resume?: TrainingCheckpoint
  /** Called after every epoch with everything that is needed to continue from there. */
  readonly onCheckpoint?: (checkpoint: TrainingCheckpoint) => void
}

export interface BestHead {
  readonly epoch: number
  readonly watched: number | undefined
  readonly tensors: HeadTensors
}

export interface TrainingCheckpoint {
  readonly state: TrainerState
  readonly best: BestHead | undefined
}

/**
 * Trains a head. The same rows, settings and seed give the same head on the same machine with the same number of
 * threads.
 * @throws TRAINING_IMPOSSIBLE if there are fewer than two classes to distinguish, INTERRUPTED
 */
export async function trainHead(
  rows: TrainingRows,
  settings: HeadSettings,
  options: TrainHeadOptions,
): Promise<BestHead> {
  checkRows(rows)
  const loss = parseLoss(settings.loss, settings.scale)
  const dimension = inputDimension(rows.faces.columns)
  const network = createNetwork(settings.network, dimension, seededPart(settings.seed, 0))
  const trainer = await createTrainer({
    rows,
    network,
    loss,
    optimizer: settings.optimizer,
    sampling: {
      facesPerSample: settings.facesPerSample,
      noise: settings.noise,
      mirror: settings.mirror,
      balanced: settings.balanced,
      rowsPerClass: loss.needsPairs ? rowsOfPairs : 1,
    },
    batch: settings.batch,
    learningRate: settings.learningRate,
    schedule: schedules[settings.schedule],
    epochs: settings.epochs,
    seed: settings.seed,
    session: options.session,
  })
  let best = options.resume?.best
  let runner: Head | undefined
  try {
    if (options.resume !== undefined) trainer.restore(options.resume.state)
    const inference = { network, loss, residualShare: 1 }
    if (options.watch !== undefined)
      runner = await createHeadRunner(inference, () => trainer.tensors(), options.session)
    let epoch = options.resume?.state.epoch ?? 0
    while (epoch < settings.epochs) {
      const result = await trainer.epoch((done, steps) => {
        options.onStep?.(epoch + 1, done, steps)
        if (options.signal?.aborted === true)
          throw new CameoError(
            'INTERRUPTED',
            'the training was interrupted; it can be resumed after its last epoch',
            { details: { remedy: 'resume-training' } },
          )
      })
      epoch = result.epoch
      const isLast = epoch === settings.epochs
      const isWatched = runner !== undefined && (isLast || epoch % (options.watchEvery ?? 1) === 0)
      const watched = isWatched && runner !== undefined ? await options.watch?.(runner) : undefined
      const isBest =
        options.watch === undefined ? isLast : watched !== undefined && watched > (best?.watched ?? -Infinity)
      if (isBest) best = { epoch, watched, tensors: trainer.state().tensors }
      options.onEpoch?.({ ...result, epochs: settings.epochs, watched, isBest })
      options.onCheckpoint?.({ state: trainer.state(), best })
      if (settings.patience > 0 && best !== undefined && epoch - best.epoch >= settings.patience) break
    }
    return best ?? { epoch, watched: undefined, tensors: trainer.state().tensors }
  } finally {
    await runner?.dispose()
    await trainer.dispose()
  }
}

function checkRows({ labels, classCount, faces }: TrainingRows): void {
  const seen = new Set(labels)
  const classes = [...seen].filter((label) => label > 0).length
  if (classes < 2)
    throw new CameoError(
      'TRAINING_IMPOSSIBLE',
      `a head needs at least two identities whose clips have faces, but of ${counted(classCount, 'identity', 'identities')} only ${classes} ` +
        'have one: check that the ground truth names clips of this archive',
    )
  for (const { dimension, embeddings, mirrored } of faces.columns)
    for (const view of [embeddings, ...(mirrored === undefined ? [] : [mirrored])]) {
      // Bits 0x7c00 and above (without sign): infinity or NaN.
      const bad = view.findIndex((bits) => (bits & 0x7c00) === 0x7c00)
      if (bad >= 0)
        throw new CameoError(
          'FEATURES_INVALID',
          `embedding ${Math.floor(bad / dimension)} contains a value that is not a finite number: ingest its clip again`,
        )
    }
}
