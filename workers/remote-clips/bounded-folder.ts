import { EventEmitter, once } from 'node:events'
import { rmSync } from 'node:fs'
import { clipName } from '../../pipeline/common/display-name.js'
import { CameoError } from '../../pipeline/common/errors.js'

/** What lies in the folder, in a folder of its own. */
export interface HeldCopy {
  readonly dir: string
  /** For messages. */
  readonly fileName: string
  /** The room that it has, whether or not all of it is filled yet. */
  bytes: number
  /** Who works with it: it stays as long as there is one. */
  users: number
}

/**
 * Gives the room of a folder to copies. Those that nobody uses make way, the one first that was used least recently. A copy that
 * finds no room waits until others are released.
 */
export class BoundedFolder<Copy extends HeldCopy> {
  readonly #dir: string
  readonly #maxBytes: number
  /** In order of last use. */
  readonly #kept = new Set<Copy>()
  /** Those that wait for room: what they hold is not given back before they go on. */
  readonly #waiting = new Set<Copy>()
  readonly #room = new EventEmitter().setMaxListeners(0)
  #usedBytes = 0

  /** @param dir for messages: the folder as its owner knows it */
  constructor(dir: string, maxBytes: number) {
    this.#dir = dir
    this.#maxBytes = maxBytes
  }

  find(isWanted: (copy: Copy) => boolean): Copy | undefined {
    return [...this.#kept].find(isWanted)
  }

  /** One more works with the copy, which is new or known. */
  use(copy: Copy): void {
    this.#kept.delete(copy)
    this.#kept.add(copy)
    copy.users++
  }

  release(copy: Copy): void {
    copy.users--
    if (copy.users === 0) this.#tellRoom()
  }

  /** For a copy that did not arrive. */
  drop(copy: Copy): void {
    this.#remove(copy)
    this.#tellRoom()
  }

  /** Takes room for more of a copy, if need be from copies that nobody uses. False where there is not enough. */
  take(copy: Copy, bytes: number): boolean {
    if (copy.bytes + bytes > this.#maxBytes) return false
    for (const other of this.#kept) {
      if (this.#usedBytes + bytes <= this.#maxBytes) break
      if (other.users === 0) this.#remove(other)
    }
    if (this.#usedBytes + bytes > this.#maxBytes) return false
    this.#usedBytes += bytes
    copy.bytes += bytes
    return true
  }

  /** Takes room as soon as there is enough. Throws SCRATCH_FULL where that would never be. */
  async grow(copy: Copy, bytes: number, signal: AbortSignal): Promise<void> {
    // A download that broke off meanwhile was removed, and needs none.
    while (this.#kept.has(copy) && !this.take(copy, bytes)) {
      const isTooLarge = copy.bytes + bytes > this.#maxBytes
      // Out of a deadlock one gives up, and the others go on with its room.
      if (isTooLarge || this.#isDeadlocked(copy)) throw this.#full(copy, !isTooLarge)
      await this.#nextRoom(copy, signal)
    }
  }

  async #nextRoom(copy: Copy, signal: AbortSignal): Promise<void> {
    this.#waiting.add(copy)
    try {
      await once(this.#room, 'made', { signal })
    } finally {
      this.#waiting.delete(copy)
    }
  }

  /** All others that hold room wait for more of it, as two clips of unknown size that fill the folder half each. */
  #isDeadlocked(copy: Copy): boolean {
    return (
      copy.bytes > 0 &&
      [...this.#kept].every((other) => other === copy || other.bytes === 0 || this.#waiting.has(other))
    )
  }

  /** All that wait look again. */
  #tellRoom(): void {
    this.#waiting.clear()
    this.#room.emit('made')
  }

  #remove(copy: Copy): void {
    this.#kept.delete(copy)
    this.#usedBytes -= copy.bytes
    copy.bytes = 0
    rmSync(copy.dir, { recursive: true, force: true })
  }

  #full({ fileName }: Copy, retriable: boolean): CameoError {
    return new CameoError(
      'SCRATCH_FULL',
      `the scratch folder ${this.#dir} has no room for ${clipName(fileName)}: clips take up to ${this.#maxBytes} bytes there; allow more`,
      { retriable, details: { remedy: 'enlarge-scratch', folder: this.#dir, maxBytes: this.#maxBytes } },
    )
  }
}
