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
