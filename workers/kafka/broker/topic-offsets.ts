import { CameoError } from '../../../pipeline/common/errors.js'
import { isUnknownTopic, whenSettled, type KafkaAdmin } from './client.js'
import type { KafkaConnection } from './connection.js'
import type { GroupCrashCounts } from './crash-counts.js'
import { topicName, type TopicKind } from './topics.js'

export type TopicEnds = readonly { readonly partition: number; readonly low: bigint; readonly high: bigint }[]

/** First and next offset of each partition. Throws TOPIC_MISSING. */
export async function topicEnds(
  admin: Pick<KafkaAdmin, 'fetchTopicOffsets'>,
  connection: Pick<KafkaConnection, 'prefix'>,
  kind: TopicKind,
): Promise<TopicEnds> {
  const topic = topicName(connection, kind)
  try {
    const offsets = await whenSettled(() => admin.fetchTopicOffsets(topic))
    return offsets.map(({ partition, low, high }) => ({ partition, low: BigInt(low), high: BigInt(high) }))
  } catch (error) {
    if (isUnknownTopic(error)) throw topicMissing(topic)
    throw error
  }
}

/** The error for a topic that does not exist yet. */
export function topicMissing(topic: string): CameoError {
  return new CameoError('TOPIC_MISSING', `the topic ${topic} does not exist; create the topics first`, {
    details: { remedy: 'create-topics', topic },
  })
}

/** The next offset of a group in each partition that it has committed. */
export async function committedOffsets(
  admin: Pick<KafkaAdmin, 'fetchOffsets'>,
  groupId: string,
  topic: string,
): Promise<Map<number, bigint>> {
  const [offsets] = await whenSettled(() => admin.fetchOffsets({ groupId, topics: [topic] }))
  return new Map(
    (offsets?.partitions ?? []).flatMap(({ partition, offset }) =>
      BigInt(offset) < 0n ? [] : [[partition, BigInt(offset)] as const],
    ),
  )
}

/** Number of messages in each partition between the group's committed offset and the topic's end. */
export async function partitionLags(
  admin: Pick<KafkaAdmin, 'fetchOffsets'>,
  groupId: string,
  topic: string,
  ends: TopicEnds,
): Promise<ReadonlyMap<number, number>> {
  const committed = await committedOffsets(admin, groupId, topic)
  return new Map(
    ends.map(({ partition, low, high }) => {
      const next = committed.get(partition) ?? low
      return [partition, Number(high - (next < low ? low : next))]
    }),
  )
}

/** Number of messages in a topic between the group's committed offsets and the topic's end. */
export async function lagOf(...of: Parameters<typeof partitionLags>): Promise<number> {
  return sum((await partitionLags(...of)).values())
}

export const sum = (counts: Iterable<number>) => [...counts].reduce((total, count) => total + count, 0)

/** The notes that a group's members stored beside their offsets. */
export async function readGroupCrashCounts(
  admin: Pick<KafkaAdmin, 'fetchOffsets' | 'describeGroups'>,
  groupId: string,
  topic: string,
): Promise<GroupCrashCounts> {
  const [offsets] = await whenSettled(() => admin.fetchOffsets({ groupId, topics: [topic] }))
  const { groups } = await whenSettled(() => admin.describeGroups([groupId]))
  return {
    members: new Set((groups[0]?.members ?? []).map(({ clientId }) => clientId)),
    partitions: (offsets?.partitions ?? []).map(({ partition, offset, metadata }) => ({
      ...{ partition, offset: BigInt(offset) },
      note: metadata ?? undefined,
    })),
  }
}
