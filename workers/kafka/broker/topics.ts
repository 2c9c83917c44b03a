import type { KafkaConnection } from './connection.js'

/** The topics, by what they carry. Their full names begin with the connection's prefix. */
export type TopicKind = 'jobs' | 'embeddings' | 'descriptors' | 'status' | 'names' | 'dead-letters'

export interface TopicSpec {
  readonly kind: TopicKind
  /** What its messages are; see `messages/schemas.ts`. */
  readonly carries: string
  readonly key: string
  readonly partitions: number
  readonly retention: 'forever' | 'compacted'
}

/**
 * The one table of topics. Nothing expires: a job waits until a worker reads it, and the descriptors are what an archive
 * is rebuilt from. `cameo topics trim` deletes jobs and embeddings that were read.
 * Partitions bound the number of workers that share a topic's work; a clip's messages stay in one, in order.
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
    carries: 'enrolled names, forgotten clips',
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

/** More copies than this protect against nothing that three do not. */
export const maxReplicas = 3

/** So long it is told that a key was undone: an archive that is set back to a copy learns what was forgotten. A year. */
const undoneForMs = 365 * 24 * 3600 * 1000

/** How brokers are to keep a topic, whatever a cluster's own defaults are. */
export function topicSettings(
  { retention }: Pick<TopicSpec, 'retention'>,
  replicas: number,
): { name: string; value: string }[] {
  const settings = {
    ...(retention === 'compacted'
      ? { 'cleanup.policy': 'compact', 'delete.retention.ms': `${undoneForMs}` }
      : { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' }),
    // As it was sent: kafkajs cannot read what a broker packs anew with lz4, zstd or snappy.
    'compression.type': 'producer',
    // Two copies before a message counts as sent; with fewer replicas, one that is away would stop all work.
    ...(replicas >= maxReplicas ? { 'min.insync.replicas': '2' } : {}),
  }
  return Object.entries(settings).map(([name, value]) => ({ name, value }))
}

export const topicName = ({ prefix }: Pick<KafkaConnection, 'prefix'>, kind: TopicKind) => `${prefix}.${kind}`

/** The workers' stages; each reads one topic as one consumer group. */
export type Stage = 'faces' | 'describe' | 'index'

/** Which topic a stage reads. */
export const stageInput = {
  faces: 'jobs',
  describe: 'embeddings',
  index: 'descriptors',
} as const satisfies Record<Stage, TopicKind>

export const groupName = ({ prefix }: Pick<KafkaConnection, 'prefix'>, stage: Stage) => `${prefix}.${stage}`

/** A message is at most this long: half of what Kafka allows by default. Bytes. */
export const maxMessageBytes = 512 * 1024

/** What a broker takes by default, with room for the message's key and headers. Bytes. */
export const maxSentBytes = 1_000_000
