import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { CameoError } from '../../../pipeline/common/errors.js'
import {
  readCheckpoint,
  removeCheckpoint,
  writeCheckpoint,
  writeFileAtomically,
} from '../../../pipeline/training/checkpoint.js'
import { writeHead } from '../../../pipeline/training/trained-head.js'
import { parseLoss } from '../../../pipeline/training/losses/parse-loss.js'
import { createNetwork } from '../../../pipeline/training/network.js'
import type { TrainingRows } from '../../../pipeline/training/sampler.js'
import type { HeadSettings } from '../../../pipeline/training/train-head.js'
import type { EvaluationSet } from '../datasets/evaluation-set.js'
import {
  measureOpenSet,
  trainingRows,
  trainOnSet,
  type OpenSetResult,
  type TrainOptions,
} from './head-training.js'
import type { HeadMetadata } from '../../../pipeline/describe/head/head-metadata.js'

export interface TrainToFileOptions extends Omit<TrainOptions, 'resume' | 'onCheckpoint'> {
  /** Continue after the last epoch of a stopped training. */
  readonly resume: boolean
  readonly onResume?: (epoch: number) => void
}

/** A head that was trained and written. */
export interface WrittenHead {
  /** The epoch that is kept. */
  readonly epoch: number
  readonly classes: number
  /** Number of tracks of people, and of strangers. */
  readonly clips: number
  readonly noise: number
  readonly valMap: number | undefined
  /** Absent without a val half or with too few people. */
  readonly openSet: OpenSetResult | undefined
}

export const checkpointOf = (out: string) => `${out}.checkpoint`

/**
 * Trains a head on a set and writes its file. A checkpoint is stored next to the file until it is complete.
 * @throws USAGE if there is a checkpoint and `resume` is not set; and the errors of `readCheckpoint` and `trainHead`
 */
export async function trainToFile(
  out: string,
  set: EvaluationSet,
  settings: HeadSettings,
  { resume, onResume, ...options }: TrainToFileOptions,
): Promise<WrittenHead> {
  refuseForgottenCheckpoint(out, resume)
  const rows = trainingRows(set, { noise: true })
  const embedders = set.features.columns.map(({ digest, name, dimension }) => ({ digest, name, dimension }))
  const digest = digestOfRows(rows, set)
  const binding = JSON.stringify({ settings, digest, embedders })
  const checkpointFile = checkpointOf(out)
  const resumed = resume ? readCheckpoint(checkpointFile, binding) : undefined
  if (resumed !== undefined) onResume?.(resumed.state.epoch)
  const { head, best } = await trainOnSet(set, settings, true, {
    ...options,
    ...(resumed === undefined ? {} : { resume: resumed }),
    onCheckpoint: (checkpoint) => writeCheckpoint(checkpointFile, binding, checkpoint),
  })
  await head.dispose()
  const { session, signal } = options
  const openSet =
    set.val === undefined
      ? undefined
      : await measureOpenSet(set, settings, { session, ...(signal === undefined ? {} : { signal }) })
  const clips = rows.labels.filter((label) => label > 0).length
  const noise = rows.labels.length - clips
  const metadata: HeadMetadata = {
    version: 1,
    embedders,
    classes: [...set.identities],
    network: settings.network,
    loss: settings.loss,
    scale: settings.scale,
    seed: settings.seed,
    epochs: best.epoch,
    // Without a measurement, the network's output is not added to the descriptor.
    residualShare: openSet?.residualShare ?? 0,
    trainingDigest: digest,
    figures: {
      ...{ clips, noise },
      ...(best.watched === undefined ? {} : { valMap: best.watched }),
      ...(openSet === undefined ? {} : { openSetBaselineMap: openSet.baselineMap }),
    },
  }
  const network = createNetwork(settings.network, set.dimension, () => 0.5)
  const loss = parseLoss(settings.loss, settings.scale)
  const { residualShare } = metadata
  writeFileAtomically(out, writeHead(best.tensors, { network, loss, residualShare }, metadata))
  removeCheckpoint(checkpointFile)
  return {
    ...{ epoch: best.epoch, classes: set.identities.length, clips, noise },
    ...{ valMap: best.watched, openSet },
  }
}

/** @throws USAGE if a training to this file was stopped and `resume` is not set */
export function refuseForgottenCheckpoint(out: string, resume: boolean): void {
  const checkpointFile = checkpointOf(out)
  if (!resume && existsSync(checkpointFile))
    throw new CameoError(
      'USAGE',
      `a training to ${out} was stopped; resume it, or delete ${checkpointFile} to start again`,
      { details: { remedy: 'resume-training' } },
    )
}

/** Digest of the training data: rows, labels, identities and embeddings. */
function digestOfRows({ tracks, labels, faces }: TrainingRows, { identities }: EvaluationSet): string {
  const hash = createHash('sha256').update(JSON.stringify(identities))
  const { columns, firstFace, qualities } = faces
  const views = columns.flatMap(({ embeddings, mirrored = new Uint16Array(0) }) => [embeddings, mirrored])
  for (const array of [tracks, labels, firstFace, ...views, qualities])
    hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
  return hash.digest('hex')
}
