import { assignedPartitions, whenSettled, withAdmin, type KafkaAdmin, type KafkaClient } from './client.js'
import type { KafkaConnection } from './connection.js'
import { partitionLags, sum, topicEnds, topicMissing, type TopicEnds } from './topic-offsets.js'
import { groupName, stageInput, topicName, topicSpecs, type Stage, type TopicKind } from './topics.js'

export interface TopicStatus {
  readonly topic: string
  readonly partitions: number
  /** Number of messages in it. */
  readonly messages: number
}

export interface GroupStatus {
  readonly group: string
  readonly stage: Stage
  readonly workers: readonly WorkerStatus[]
  /** Messages of its topic that the group has not finished. */
  readonly lag: number
}

export interface WorkerStatus {
  readonly client: string
  readonly host: string
  readonly partitions: number
  /** Unfinished messages of these partitions; absent during a rebalance. */
  readonly lag?: number
}

export interface ClusterStatus {
  readonly clusterId: string
  readonly topics: readonly TopicStatus[]
  readonly groups: readonly GroupStatus[]
}

/** @throws TOPIC_MISSING if the topics do not exist yet */
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
    // In the order of the stages: a message that moves on during this loop is counted in the next stage.
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
