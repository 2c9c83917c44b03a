import { EventEmitter, once } from 'node:events'
import { rmSync } from 'node:fs'
import { clipName } from '../../pipeline/common/display-name.js'
import { CameoError } from '../../pipeline/common/errors.js'

/** A copy of a clip, in its own subfolder. */
export interface HeldCopy {
  readonly dir: string
  /** For messages. */
  readonly fileName: string
  /** The reserved room. The file may still be smaller. */
  bytes: number
  /** Number of users. The copy stays while there is at least one. */
  users: number
}

/**
 * Shares the room of a folder between copies. Unused copies are removed, the least recently used first. A
 * copy that finds no room waits until others are released.
 */
export class BoundedFolder<Copy extends HeldCopy> {
  readonly #dir: string
  readonly #maxBytes: number
  /** In order of last use. */
  readonly #kept = new Set<Copy>()
  /** Copies that wait for room. They keep the room they hold while they wait. */
  readonly #waiting = new Set<Copy>()
  readonly #room = new EventEmitter().setMaxListeners(0)
  #usedBytes = 0

  /** @param dir for messages: the folder under the name that the user gave */
  constructor(dir: string, maxBytes: number) {
    this.#dir = dir
    this.#maxBytes = maxBytes
  }

  find(isWanted: (copy: Copy) => boolean): Copy | undefined {
    return [...this.#kept].find(isWanted)
  }

  /** Adds a user to the copy, which may be new or known. */
  use(copy: Copy): void {
    this.#kept.delete(copy)
    this.#kept.add(copy)
    copy.users++
  }

  release(copy: Copy): void {
    copy.users--
    if (copy.users === 0) this.#tellRoom()
  }

  /** Removes a copy that did not arrive. */
  drop(copy: Copy): void {
    this.#remove(copy)
    this.#tellRoom()
  }

  /** Reserves more room for a copy. If necessary, removes unused copies. False if there is not enough. */
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

  /** Reserves room as soon as there is enough. Throws SCRATCH_FULL if there can never be enough. */
  async grow(copy: Copy, bytes: number, signal: AbortSignal): Promise<void> {
    // A download that failed in the meantime was removed, and needs no room.
    while (this.#kept.has(copy) && !this.take(copy, bytes)) {
      const isTooLarge = copy.bytes + bytes > this.#maxBytes
      // In a deadlock one download fails, and the others continue with its room.
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

  /**
   * True if all other copies that hold room also wait for more. Example: two clips of unknown size fill half
   * of the folder each.
   */
  #isDeadlocked(copy: Copy): boolean {
    return (
      copy.bytes > 0 &&
      [...this.#kept].every((other) => other === copy || other.bytes === 0 || this.#waiting.has(other))
    )
  }

  /** Wakes all waiting copies. */
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
