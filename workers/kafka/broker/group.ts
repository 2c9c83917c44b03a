import type { Logger } from 'pino'
import type { EachBatchPayload, KafkaClient } from './client.js'

export interface GroupMemberOptions extends GroupEvents {
  readonly kafka: Pick<KafkaClient, 'consumer'>
  readonly topic: string
  readonly groupId: string
  readonly log: Logger
  readonly fetch: FetchSizes
}

/** What a member is told. */
export interface GroupEvents {
  /** Told the partitions whenever the group is arranged anew; none when the member has left it. */
  readonly onAssigned: (partitions: readonly number[], group: Group | undefined) => void
  /**
   * Given what a fetch brought, a batch for each partition. To return soon, or kafkajs sends no heartbeat. Resolves offsets itself.
   */
  readonly onFetched: (batches: readonly EachBatchPayload[]) => Promise<void>
}

/** How much a fetch brings: the more, the less often brokers are asked, which costs them and this process CPU. */
export interface FetchSizes {
  /** Of a partition, about, at most. */
  readonly maxBytes: number
  /** The broker waits until there is so much ... */
  readonly minBytes: number
  /** ... or until so much time has passed, ms. A partition that is resumed waits as long. */
  readonly maxWaitMs: number
}

/** What a member can do from the moment that it has partitions. */
export interface Group {
  seek(partition: number, offset: bigint): void
  commit(offsets: readonly PartitionCommit[]): Promise<void>
}

export interface PartitionCommit {
  readonly partition: number
  /** The offset of the first message that is not finished. */
  readonly next: bigint
  /** Kept beside the offset. */
  readonly note?: string | undefined
}

/** A member of a consumer group that lives as long as its process: it joins again whatever happens. */
export interface GroupMember {
  /** In the group, with the broker answering. */
  readonly isHealthy: boolean
  /** Leaves the group; with a broker that is away, after `ms` at the latest: the group then notices by itself. */
  leave(ms: number): Promise<void>
}
