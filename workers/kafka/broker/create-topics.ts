import { whenSettled, withAdmin, type KafkaAdmin, type KafkaClient } from './client.js'
import type { KafkaConnection } from './connection.js'
import {
  maxReplicas,
  topicName,
  topicSettings,
  topicSpecs,
  type TopicKind,
  type TopicSpec,
} from './topics.js'

export interface CreatedTopics {
  /** Names of the topics that were missing. */
  readonly made: readonly string[]
  /** Number of partitions of each topic, by its name. Existing topics keep their number. */
  readonly partitions: ReadonlyMap<string, number>
}

/** Creates the missing topics. Several processes may do so at the same time. */
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
    // A new topic is not visible at once, no matter which process created it.
    const names = topicSpecs.map(({ kind }) => topicName(connection, kind))
    const { topics } = await whenSettled(() => admin.fetchTopicMetadata({ topics: names }))
    return { made, partitions: new Map(topics.map(({ name, partitions }) => [name, partitions.length])) }
  })
}

/** False if another process created it in the meantime. */
async function createTopic(
  admin: KafkaAdmin,
  connection: KafkaConnection,
  spec: TopicSpec,
  partitions: number | undefined,
  brokers: number,
): Promise<boolean> {
  const replicas = Math.min(maxReplicas, brokers)
  // kafkajs resolves with false if the topic exists.
  return whenSettled(() =>
    admin.createTopics({
      waitForLeaders: true,
      // A broker that has just started takes long to create its first topics.
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
