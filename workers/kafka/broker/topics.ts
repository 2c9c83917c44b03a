import type { KafkaConnection } from './connection.js'

/** The topics, by content. Their full names start with the connection's prefix. */
export type TopicKind = 'jobs' | 'embeddings' | 'descriptors' | 'status' | 'names' | 'dead-letters'

export interface TopicSpec {
  readonly kind: TopicKind
  /** The content of its messages; see `messages/schemas.ts`. */
  readonly carries: string
  readonly key: string
  readonly partitions: number
  readonly retention: 'forever' | 'compacted'
}

/**
 * The only table of topics. Messages never expire: a job waits until a worker reads it, and an archive can be
 * rebuilt from the descriptors. `cameo topics trim` deletes jobs and embeddings that were read. The number of
 * partitions limits how many workers share a topic's work. The messages of one clip stay in one partition, in
 * order.
 */
export const topicSpecs: readonly TopicSpec[] = [
  {
    kind: 'jobs',
    carries: 'clips and segments to be processed',
    key: 'clip path or URL, and segment',
    partitions: 48,
    retention: 'forever',
  },
  {
    kind: 'embeddings',
    carries: 'tracks with their face embeddings and a thumbnail, in parts',
    key: 'clip id',
    partitions: 12,
    retention: 'forever',
  },
  {
    kind: 'descriptors',
    carries: 'the same tracks with their descriptors',
    key: 'clip id',
    partitions: 12,
    retention: 'forever',
  },
  {
    kind: 'status',
    carries: 'what became of each clip',
    key: 'recipe, clip path or URL',
    partitions: 12,
    retention: 'compacted',
  },
  {
    kind: 'names',
    carries: 'enrolled names and corrections, forgotten clips',
    key: 'name or clip id',
    partitions: 1,
    retention: 'compacted',
  },
  {
    kind: 'dead-letters',
    carries: 'messages that could not be processed, with the reason',
    key: 'topic, partition and offset of the message',
    partitions: 1,
    retention: 'compacted',
  },
]

/** More than three copies add no protection. */
export const maxReplicas = 3

/**
 * How long a deletion of a key is kept, so that an archive restored from a copy learns what was forgotten.
 * One year.
 */
const undoneForMs = 365 * 24 * 3600 * 1000

/** Settings of a topic that do not depend on the cluster's defaults. */
export function topicSettings(
  { retention }: Pick<TopicSpec, 'retention'>,
  replicas: number,
): { name: string; value: string }[] {
  const settings = {
    ...(retention === 'compacted'
      ? { 'cleanup.policy': 'compact', 'delete.retention.ms': `${undoneForMs}` }
      : { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' }),
    // Keeps the sender's compression: kafkajs cannot read lz4, zstd or snappy, which a broker might use.
    'compression.type': 'producer',
    // A message counts as sent when two copies exist. With fewer replicas, one unavailable broker would stop
    // all work.
    ...(replicas >= maxReplicas ? { 'min.insync.replicas': '2' } : {}),
  }
  return Object.entries(settings).map(([name, value]) => ({ name, value }))
}

export const topicName = ({ prefix }: Pick<KafkaConnection, 'prefix'>, kind: TopicKind) => `${prefix}.${kind}`

/** The workers' stages. Each stage reads one topic as one consumer group. */
export type Stage = 'faces' | 'describe' | 'index'

/** The topic that a stage reads. */
export const stageInput = {
  faces: 'jobs',
  describe: 'embeddings',
  index: 'descriptors',
} as const satisfies Record<Stage, TopicKind>

export const groupName = ({ prefix }: Pick<KafkaConnection, 'prefix'>, stage: Stage) => `${prefix}.${stage}`

/** Limit of a message: half of Kafka's default limit. Bytes. */
export const maxMessageBytes = 512 * 1024

/** Kafka's default limit, less room for the message's key and headers. Bytes. */
export const maxSentBytes = 1_000_000
