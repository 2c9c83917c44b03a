import { CameoError } from '../../../pipeline/common/errors.js'

export interface OutMessage {
  readonly topic: string
  readonly key: string
  /** Null deletes the key in a compacted topic. */
  readonly value: Uint8Array | null
}

/** A request holds one batch per partition. Brokers accept batches up to 1 MB. */
const maxRequestBytes = 900_000

/** Bytes of keys and values. */
export const bytesOf = (messages: readonly OutMessage[]) =>
  messages.reduce((sum, { key, value }) => sum + key.length + (value?.byteLength ?? 0), 0)

/**
 * Checks sizes before sending. A message that no broker accepts would fail every time, together with the
 * other messages of its request.
 * @throws MESSAGE_TOO_LARGE
 */
export function checkSizes(messages: readonly OutMessage[]): void {
  const largest = Math.max(0, ...messages.map((message) => bytesOf([message])))
  if (largest > maxRequestBytes)
    throw new CameoError(
      'MESSAGE_TOO_LARGE',
      `a message of ${largest} bytes is too large to send; brokers accept up to ${maxRequestBytes}`,
    )
}

/** Splits items into groups that each fit into one request, in order. */
export function inRequests<T>(items: readonly T[], bytesOfItem: (item: T) => number): T[][] {
  const groups: T[][] = []
  let bytes = Infinity
  for (const item of items) {
    const own = bytesOfItem(item)
    if (bytes + own > maxRequestBytes) {
      groups.push([])
      bytes = 0
    }
    groups.at(-1)?.push(item)
    bytes += own
  }
  return groups
}
