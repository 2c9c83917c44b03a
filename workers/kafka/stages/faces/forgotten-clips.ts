import { messageOf } from '../../../../pipeline/common/errors.js'
import type { CheckpointFolder } from '../../../checkpoints/checkpoint-folder.js'
import type { WorkerContext } from '../shared/stage-worker.js'
import { startTopicReader, type TopicReader } from '../../broker/topic-reader.js'
import { topicName } from '../../broker/topics.js'

/** As `clipKey` makes them; nothing else may become the name of a folder. */
const clipKeyShape = /^clip\/([0-9a-f]{64})$/

const sweepEveryMs = 10 * 60_000

/** Keeps the folder of checkpoints as the topic of names says: of what is forgotten, nothing. And sweeps it now and then. */
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
      'which clips are forgotten is not known: their checkpoints stay a week',
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

/** One message of the topic of names; those about names are none of this worker's business. */
export function noteMessage(checkpoints: CheckpointFolder, key: Buffer | null, value: Buffer | null): void {
  const clipId = clipKeyShape.exec(key?.toString() ?? '')?.[1]
  if (clipId === undefined) return
  if (value === null) checkpoints.remember(clipId)
  else checkpoints.forget(clipId)
}
