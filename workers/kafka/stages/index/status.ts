import type { Archive } from '../../../../index/archive/open-archive.js'
import { CameoError } from '../../../../pipeline/common/errors.js'
import type { OutMessage } from '../../broker/out-messages.js'
import type { WorkerContext } from '../shared/stage-worker.js'
import { readTopic } from '../../broker/topic-reader.js'
import { topicName } from '../../broker/topics.js'
import { decodeStatus, type StatusMessage } from '../../messages/schemas.js'

/** Status messages replace each other by it: one a clip and recipe. */
export const statusKey = (recipe: string, uri: string) => `${recipe}/${uri}`

/**
 * Takes back what is said of clips that the archive does not hold, after it was built anew from a topic that has lost some:
 * else `submit` would take them for finished for ever. Returns how many.
 */
export async function undoLostStatuses(
  { kafka, connection, publisher, log }: WorkerContext,
  archive: Archive,
): Promise<number> {
  const topic = topicName(connection, 'status')
  const newest = await readTopic({ kafka, connection, topic, log })
  const lost = [...newest].flatMap(([key, value]): OutMessage[] => {
    const status = value === null ? undefined : readStatus(value)
    if (status?.clipId === undefined || (status.state !== 'indexed' && status.state !== 'partial')) return []
    const { clipId, recipe } = status
    return archive.clips.run({ clipId, recipe }) === undefined ? [{ topic, key, value: null }] : []
  })
  if (lost.length > 0) await publisher.send(lost)
  return lost.length
}

/** Undefined for what is none, or a newer Cameo's: it must not keep the others from being taken back. */
export function readStatus(value: Buffer): StatusMessage | undefined {
  try {
    return decodeStatus(value)
  } catch (error) {
    if (error instanceof CameoError) return undefined
    throw error
  }
}
