import { CameoError } from '../../../pipeline/common/errors.js'

export interface OutMessage {
  readonly topic: string
  readonly key: string
  /** Null undoes the key, in a compacted topic. */
  readonly value: Uint8Array | null
}

/** A request holds one batch a partition, which brokers take up to 1 MB. */
const maxRequestBytes = 900_000

/** Of keys and values. */
export const bytesOf = (messages: readonly OutMessage[]) =>
  messages.reduce((sum, { key, value }) => sum + key.length + (value?.byteLength ?? 0), 0)

/**
 * What no broker takes would fail again and again, and with it what shares its request.
 * @throws MESSAGE_TOO_LARGE
 */
export function checkSizes(messages: readonly OutMessage[]): void {
  const largest = Math.max(0, ...messages.map((message) => bytesOf([message])))
  if (largest > maxRequestBytes)
    throw new CameoError(
      'MESSAGE_TOO_LARGE',
      `a message of ${largest} bytes was to be sent, brokers take up to ${maxRequestBytes}`,
    )
}

/** Groups that fit into a request each, in order. */
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
