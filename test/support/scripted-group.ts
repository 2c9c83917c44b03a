import type { EachBatchPayload, KafkaMessage } from '../../workers/kafka/broker/client.js'
import type { Group, PartitionCommit } from '../../workers/kafka/broker/group.js'
import type { Work } from '../../workers/kafka/broker/work-queue.js'

export const messageAt = (offset: number, value: Uint8Array | null = null): KafkaMessage => ({
  ...{ key: null, value: value === null ? null : Buffer.from(value), offset: `${offset}` },
  ...{ timestamp: '1', attributes: 0, headers: {} },
})

export const workAt = (partition: number, offset: number): Work => ({
  message: { topic: 'test', partition, offset: `${offset}`, key: null, value: null },
  ...{ offset: BigInt(offset), abort: new AbortController() },
})

/** A batch of a partition as kafkajs passes it, and what was done with it. */
export function batchOf(partition: number, messages: readonly KafkaMessage[]) {
  const resolved: string[] = []
  const pauses = { paused: 0, resumed: 0 }
  const offsets = messages.map(({ offset }) => offset)
  const payload: EachBatchPayload = {
    batch: {
      ...{ topic: 'test', partition, messages: [...messages] },
      highWatermark: `${Number(offsets.at(-1) ?? -1) + 1}`,
      isEmpty: () => messages.length === 0,
      firstOffset: () => offsets[0] ?? null,
      lastOffset: () => offsets.at(-1) ?? '-1',
      offsetLag: () => '0',
      offsetLagLow: () => '0',
    },
    resolveOffset(offset) {
      resolved.push(offset)
    },
    heartbeat: () => Promise.resolve(),
    pause() {
      pauses.paused++
      return () => {
        pauses.resumed++
      }
    },
    commitOffsetsIfNecessary: () => Promise.resolve(),
    uncommittedOffsets: () => ({ topics: [] }),
    isRunning: () => true,
    isStale: () => false,
  }
  return { payload, resolved, pauses }
}

/** A group that first throws each of `errors`, and then accepts every commit. */
export function scriptedGroup(errors: readonly Error[] = []) {
  const left = [...errors]
  const commits: PartitionCommit[] = []
  const seeks: [number, bigint][] = []
  const group: Group = {
    seek(partition, offset) {
      seeks.push([partition, offset])
    },
    commit(offsets) {
      const error = left.shift()
      if (error !== undefined) return Promise.reject(error)
      commits.push(...offsets)
      return Promise.resolve()
    },
  }
  return { group, commits, seeks }
}
