import type { Logger } from 'pino'
import type { EachBatchPayload, KafkaClient } from './client.js'

export interface GroupMemberOptions extends GroupEvents {
  readonly kafka: Pick<KafkaClient, 'consumer'>
  readonly topic: string
  readonly groupId: string
  readonly log: Logger
  readonly fetch: FetchSizes
  /** See `KafkaConnection`. */
  readonly sessionTimeoutMs?: number | undefined
}

/** The events of a member. */
export interface GroupEvents {
  /** Receives the partitions after each rebalance; an empty list when the member has left the group. */
  readonly onAssigned: (partitions: readonly number[], group: Group | undefined) => void
  /**
   * Receives the messages of a fetch, one batch per partition. Must return soon, or kafkajs sends no
   * heartbeat. Resolves offsets itself.
   */
  readonly onFetched: (batches: readonly EachBatchPayload[]) => Promise<void>
}

/**
 * Size of a fetch. Larger fetches mean fewer requests, which saves CPU on the brokers and in this process.
 */
export interface FetchSizes {
  /** Approximate limit per partition. */
  readonly maxBytes: number
  /** The broker waits until it has this many bytes ... */
  readonly minBytes: number
  /** ... or until this much time has passed, ms. A resumed partition waits equally long. */
  readonly maxWaitMs: number
}

/** What a member can do once it has partitions. */
export interface Group {
  seek(partition: number, offset: bigint): void
  commit(offsets: readonly PartitionCommit[]): Promise<void>
}

export interface PartitionCommit {
  readonly partition: number
  /** The offset of the first message that is not finished. */
  readonly next: bigint
  /** Stored beside the offset. */
  readonly note?: string | undefined
}

/** A member of a consumer group. It rejoins after every failure, as long as its process lives. */
export interface GroupMember {
  /** True if it is in the group and the broker answers. */
  readonly isHealthy: boolean
  /**
   * Leaves the group. If the broker is unavailable, stops after `ms`; the group then detects the absence
   * itself.
   */
  leave(ms: number): Promise<void>
}
