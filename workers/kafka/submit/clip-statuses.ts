import type { KafkaMessage } from '../broker/client.js'
import type { StatusMessage } from '../messages/schemas.js'
import { readStatus, statusKey } from '../stages/index/status.js'

/** The newest status of each clip with one recipe, from the topic of statuses. */
export class ClipStatuses {
  readonly #recipe: string
  readonly #byUri = new Map<string, StatusMessage>()

  /** @param recipe digest */
  constructor(recipe: string) {
    this.#recipe = recipe
  }

  of(uri: string): StatusMessage | undefined {
    return this.#byUri.get(uri)
  }

  set(status: StatusMessage): void {
    this.#byUri.set(status.uri, status)
  }

  forget(uri: string): void {
    this.#byUri.delete(uri)
  }

  /**
   * The status in the message; undefined if the message deletes one, belongs to another recipe or cannot be
   * read.
   */
  learn({ key, value }: Pick<KafkaMessage, 'key' | 'value'>): StatusMessage | undefined {
    if (value === null) {
      this.#takeBack(key?.toString() ?? '')
      return undefined
    }
    // Whether to run beside a newer Cameo is the workers' decision.
    const status = readStatus(value)
    if (status?.recipe !== this.#recipe) return undefined
    this.set(status)
    return status
  }

  /** The archive was rebuilt and lacks the clip. */
  #takeBack(key: string): void {
    const own = statusKey(this.#recipe, '')
    if (key.startsWith(own)) this.forget(key.slice(own.length))
  }
}
