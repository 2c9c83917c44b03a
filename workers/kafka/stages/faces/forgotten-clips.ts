import { messageOf } from '../../../../pipeline/common/errors.js'
import type { CheckpointFolder } from '../../../checkpoints/checkpoint-folder.js'
import type { WorkerContext } from '../shared/stage-worker.js'
import { startTopicReader, type TopicReader } from '../../broker/topic-reader.js'
import { topicName } from '../../broker/topics.js'

/** Keys as `clipKey` creates them. Nothing else may become a folder name. */
const clipKeyShape = /^clip\/([0-9a-f]{64})$/

const sweepEveryMs = 10 * 60_000

/**
 * Deletes the checkpoints of clips that the topic of names reports as forgotten. Also cleans up the folder
 * from time to time.
 */
export function followForgotten(
  { kafka, connection, log }: Pick<WorkerContext, 'kafka' | 'connection' | 'log'>,
  checkpoints: CheckpointFolder,
): { stop(): Promise<void> } {
  checkpoints.sweep()
  const sweeping = setInterval(() => checkpoints.sweep(), sweepEveryMs)
  const starting = startTopicReader({
    ...{ kafka, connection, log },
    topic: topicName(connection, 'names'),
    onMessage: ({ key, value }) => noteMessage(checkpoints, key, value),
  }).catch((error: unknown): TopicReader | undefined => {
    log.warn(
      { error: messageOf(error) },
      'cannot read which clips are forgotten: their checkpoints stay for a week',
    )
    return undefined
  })
  return {
    async stop() {
      clearInterval(sweeping)
      await (await starting)?.stop()
    },
  }
}

/** Handles one message of the topic of names. This worker ignores messages about names. */
export function noteMessage(checkpoints: CheckpointFolder, key: Buffer | null, value: Buffer | null): void {
  const clipId = clipKeyShape.exec(key?.toString() ?? '')?.[1]
  if (clipId === undefined) return
  if (value === null) checkpoints.remember(clipId)
  else checkpoints.forget(clipId)
}
