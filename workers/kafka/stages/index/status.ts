import type { Archive } from '../../../../index/archive/open-archive.js'
import { CameoError } from '../../../../pipeline/common/errors.js'
import type { OutMessage } from '../../broker/out-messages.js'
import type { WorkerContext } from '../shared/stage-worker.js'
import { readTopic } from '../../broker/topic-reader.js'
import { topicName } from '../../broker/topics.js'
import { decodeStatus, type StatusMessage } from '../../messages/schemas.js'

/** The key of status messages, one per clip and recipe. A newer status replaces an older one. */
export const statusKey = (recipe: string, uri: string) => `${recipe}/${uri}`

/**
 * Deletes the statuses of clips that the archive does not hold, after it was rebuilt from a topic that has
 * lost some. Otherwise `submit` would take these clips for finished. Returns the number of deleted statuses.
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

/** Undefined if the message is not a status, or comes from a newer Cameo: it must not block the others. */
export function readStatus(value: Buffer): StatusMessage | undefined {
  try {
    return decodeStatus(value)
  } catch (error) {
    if (error instanceof CameoError) return undefined
    throw error
  }
}
