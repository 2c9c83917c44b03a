import { existsSync } from 'node:fs'
import { counted, pluralOf } from '../../../pipeline/common/counted.js'
import type { SessionOptions } from '../../../pipeline/models/session.js'
import type { TrainingProgress } from '../../../pipeline/training/train-head.js'
import type { EvaluationSet } from '../datasets/evaluation-set.js'
import { setOfMember, type EnsembleMember } from '../ladder/ensemble.js'
import { checkpointOf, trainToFile, type WrittenHead } from '../ladder/train-to-file.js'

export interface TrainHeadsRequest {
  /** The heads to train, each with its file, settings, embedders and fold. */
  readonly members: readonly Omit<EnsembleMember, 'weight'>[]
  /** Continue after the last epoch of a stopped training. */
  readonly resume: boolean
  /** Report heads by number, and skip heads that are already written. */
  readonly isEnsemble: boolean
  readonly session: Pick<SessionOptions, 'device' | 'intraOpThreads'>
  readonly signal: AbortSignal
}

/** Receives the progress of a training. */
export interface TrainingWatcher {
  notify(notice: string): void
  onEpoch(file: string, progress: TrainingProgress): void
  onWritten(file: string, head: WrittenHead): void
}

/**
 * Trains the heads one after the other and writes each to its file. A checkpoint is stored next to the file until the
 * file is written.
 * @throws TRAINING_IMPOSSIBLE, CHECKPOINT_INVALID, EMBEDDER_UNKNOWN, INTERRUPTED; USAGE if a training to a file was
 * stopped and `resume` is not set
 */
export async function trainHeads(
  set: EvaluationSet,
  { members, resume, isEnsemble, session, signal }: TrainHeadsRequest,
  watcher: TrainingWatcher,
): Promise<void> {
  const single = set.galleryTracks.filter((tracks) => tracks.length === 1).length
  if (single > 0)
    watcher.notify(
      `${counted(single, 'identity has', 'identities have')} one clip with a face: ${pluralOf(single, 'its class depends', 'their classes depend')} on it alone`,
    )
  for (const [at, member] of members.entries()) {
    const { file, settings } = member
    if (isEnsemble) watcher.notify(`head ${at + 1} of ${members.length}: ${file}`)
    const isStopped = existsSync(checkpointOf(file))
    if (isEnsemble && resume && !isStopped && existsSync(file)) {
      watcher.notify('it is already written')
      continue
    }
    const written = await trainToFile(file, setOfMember(set, member), settings, {
      ...{ signal, session, resume: resume && (isStopped || !isEnsemble) },
      onResume: (epoch) => watcher.notify(`continuing after epoch ${epoch}`),
      onEpoch: (progress) => watcher.onEpoch(file, progress),
    })
    watcher.onWritten(file, written)
  }
}
