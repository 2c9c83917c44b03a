import { CameoError } from '../../../pipeline/common/errors.js'
import {
  assignedPartitions,
  isUnknownTopic,
  whenSettled,
  withAdmin,
  type KafkaAdmin,
  type KafkaClient,
} from './client.js'
import type { KafkaConnection } from './connection.js'
import type { GroupCrashCounts } from './crash-counts.js'
import {
  groupName,
  maxReplicas,
  stageInput,
  topicName,
  topicSettings,
  topicSpecs,
  type Stage,
  type TopicKind,
  type TopicSpec,
} from './topics.js'

export interface CreatedTopics {
  /** Names of those that were missing. */
  readonly made: readonly string[]
  /** How many each topic has, by its name: those that were there keep theirs. */
  readonly partitions: ReadonlyMap<string, number>
}

/** Makes the topics that are missing. Several processes may do it at once. */
export async function createTopics(
  kafka: KafkaClient,
  connection: KafkaConnection,
  partitions: Partial<Record<TopicKind, number>> = {},
): Promise<CreatedTopics> {
  return withAdmin(kafka, connection, async (admin) => {
    const { brokers } = await admin.describeCluster()
    const existing = new Set(await admin.listTopics())
    const missing = topicSpecs.filter(({ kind }) => !existing.has(topicName(connection, kind)))
    const made: string[] = []
    for (const spec of missing)
      if (await createTopic(admin, connection, spec, partitions[spec.kind], brokers.length))
        made.push(topicName(connection, spec.kind))
    // A topic that was made a moment ago, here or by another, is not known at once.
    const names = topicSpecs.map(({ kind }) => topicName(connection, kind))
    const { topics } = await whenSettled(() => admin.fetchTopicMetadata({ topics: names }))
    return { made, partitions: new Map(topics.map(({ name, partitions }) => [name, partitions.length])) }
  })
}

/** False where another process made it meanwhile. */
async function createTopic(
  admin: KafkaAdmin,
  connection: KafkaConnection,
  spec: TopicSpec,
  partitions: number | undefined,
  brokers: number,
): Promise<boolean> {
  const replicas = Math.min(maxReplicas, brokers)
  // kafkajs resolves with false where the topic exists.
  return whenSettled(() =>
    admin.createTopics({
      waitForLeaders: true,
      // A broker that has just started takes its time for the first ones.
      timeout: 20_000,
      topics: [
        {
          topic: topicName(connection, spec.kind),
          numPartitions: partitions ?? spec.partitions,
          replicationFactor: replicas,
          configEntries: topicSettings(spec, replicas),
        },
      ],
    }),
  )
}

export interface TopicStatus {
  readonly topic: string
  readonly partitions: number
  /** Messages in it. */
  readonly messages: number
}

export interface GroupStatus {
  readonly group: string
  readonly stage: Stage
  readonly workers: readonly WorkerStatus[]
  /** Messages of its topic that it has not finished. */
  readonly lag: number
}

export interface WorkerStatus {
  readonly client: string
  readonly host: string
  readonly partitions: number
  /** Messages of these partitions that are not finished; absent while the group is arranged anew. */
  readonly lag?: number
}

export interface ClusterStatus {
  readonly clusterId: string
  readonly topics: readonly TopicStatus[]
  readonly groups: readonly GroupStatus[]
}

/** @throws TOPIC_MISSING where they were not made yet */
export async function clusterStatus(kafka: KafkaClient, connection: KafkaConnection): Promise<ClusterStatus> {
  return withAdmin(kafka, connection, async (admin) => {
    const { clusterId } = await admin.describeCluster()
    const existing = new Set(await admin.listTopics())
    for (const { kind } of topicSpecs)
      if (!existing.has(topicName(connection, kind))) throw topicMissing(topicName(connection, kind))
    const { groups } = await whenSettled(() => admin.listGroups())
    const own = groups.map(({ groupId }) => groupId).sort()
    const ends = new Map<TopicKind, TopicEnds>()
    const statuses: GroupStatus[] = []
    // Stage by stage, as messages go: what leaves one while this is asked is seen in the next.
    for (const stage of ['faces', 'describe', 'index'] as const) {
      const kind = stageInput[stage]
      const input = await topicEnds(admin, connection, kind)
      ends.set(kind, input)
      for (const groupId of own)
        if (isOfStage(connection, groupId, stage))
          statuses.push(await groupStatus(admin, connection, groupId, stage, input))
    }
    for (const { kind } of topicSpecs)
      if (!ends.has(kind)) ends.set(kind, await topicEnds(admin, connection, kind))
    return {
      clusterId,
      topics: topicSpecs.map(({ kind }) => {
        const partitions = ends.get(kind) ?? []
        return {
          topic: topicName(connection, kind),
          partitions: partitions.length,
          messages: sum(partitions.map(({ low, high }) => Number(high - low))),
        }
      }),
      groups: statuses,
    }
  })
}

export type TopicEnds = readonly { readonly partition: number; readonly low: bigint; readonly high: bigint }[]

/** First and next offset of each partition. Throws TOPIC_MISSING. */
export async function topicEnds(
  admin: KafkaAdmin,
  connection: KafkaConnection,
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

function topicMissing(topic: string): CameoError {
  return new CameoError('TOPIC_MISSING', `the topic ${topic} does not exist; create the topics first`, {
    details: { remedy: 'create-topics', topic },
  })
}

function isOfStage(connection: KafkaConnection, groupId: string, stage: Stage): boolean {
  const name = groupName(connection, stage)
  return groupId === name || groupId.startsWith(`${name}.`)
}

async function groupStatus(
  admin: KafkaAdmin,
  connection: KafkaConnection,
  groupId: string,
  stage: Stage,
  ends: TopicEnds,
): Promise<GroupStatus> {
  const { groups } = await whenSettled(() => admin.describeGroups([groupId]))
  const topic = topicName(connection, stageInput[stage])
  const lags = await partitionLags(admin, groupId, topic, ends)
  return {
    group: groupId,
    stage,
    workers: (groups[0]?.members ?? []).map((member) => {
      const partitions = assignedPartitions(member, topic)
      return {
        client: member.clientId,
        host: member.clientHost,
        partitions: partitions?.length ?? 0,
        ...(partitions === undefined
          ? {}
          : { lag: sum(partitions.map((partition) => lags.get(partition) ?? 0)) }),
      }
    }),
    lag: sum(lags.values()),
  }
}

const sum = (counts: Iterable<number>) => [...counts].reduce((total, count) => total + count, 0)

/** Messages between what a group committed and the ends of a topic. */
export async function lagOf(...of: Parameters<typeof partitionLags>): Promise<number> {
  return sum((await partitionLags(...of)).values())
}

async function partitionLags(
  admin: KafkaAdmin,
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

/** What a group's members noted beside their offsets. */
export async function readGroupCrashCounts(
  admin: KafkaAdmin,
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

async function committedOffsets(
  admin: KafkaAdmin,
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

/**
 * Deletes the jobs and embeddings that their workers have finished. The descriptors stay: an archive is rebuilt from them.
 * Returns how many messages went.
 */
export async function trimTopics(kafka: KafkaClient, connection: KafkaConnection): Promise<number> {
  return withAdmin(kafka, connection, async (admin) => {
    let deleted = 0
    for (const stage of ['faces', 'describe'] as const) {
      const kind = stageInput[stage]
      const committed = await committedOffsets(
        admin,
        groupName(connection, stage),
        topicName(connection, kind),
      )
      const finished = (await topicEnds(admin, connection, kind)).flatMap(({ partition, low }) => {
        const next = committed.get(partition) ?? low
        if (next <= low) return []
        deleted += Number(next - low)
        return [{ partition, offset: `${next}` }]
      })
      if (finished.length > 0)
        await admin.deleteTopicRecords({ topic: topicName(connection, kind), partitions: finished })
    }
    return deleted
  })
}
