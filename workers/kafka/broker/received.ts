import type { KafkaMessage } from './client.js'

/** A message of a queue, with its place in the topic. */
export interface Received {
  readonly topic: string
  readonly partition: number
  readonly offset: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** When it was written, ms since 1970. */
  readonly timestamp?: string
}

export function received(
  topic: string,
  partition: number,
  { offset, key, value, timestamp }: KafkaMessage,
): Received {
  return { topic, partition, offset, key, value, timestamp }
}
