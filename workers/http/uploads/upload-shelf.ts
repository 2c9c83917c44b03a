import { CameoError } from '../../../pipeline/common/errors.js'

/** Bounds of the uploads that are kept at the same time. */
export interface ShelfLimits {
  readonly keepMs: number
  readonly mostPerActor: number
  readonly bytesPerActor: number
  readonly mostInAll: number
  readonly bytesInAll: number
}

/** An upload on the shelf. */
interface Place<T> {
  readonly uploadId: string
  readonly owner: string
  bytes: number
  /** Undefined while the file arrives. */
  kept: { readonly value: T; readonly expiresAtMs: number } | undefined
}

/** Room for a file that arrives. */
export interface Claim<T> {
  readonly uploadId: string
  /** Takes room. @throws UPLOAD_TOO_LARGE, SERVER_BUSY */
  take(bytes: number): void
  /** Keeps the upload. @param valueOf makes it, from the time at which it expires, ms */
  keep(valueOf: (expiresAtMs: number) => T): T
  /** Gives the room back. After `keep`, it does nothing. */
  release(): void
}

/**
 * What each actor uploaded, for a short time. Where an actor's own room is used up, his oldest upload goes; where all room is used
 * up, a new one is refused.
 */
export class UploadShelf<T> {
  readonly #limits: ShelfLimits
  readonly #now: () => number
  readonly #onRemoved: (uploadId: string) => void
  /** In order of arrival. */
  readonly #places = new Map<string, Place<T>>()

  constructor(limits: ShelfLimits, now: () => number, onRemoved: (uploadId: string) => void) {
    this.#limits = limits
    this.#now = now
    this.#onRemoved = onRemoved
  }

  get size(): number {
    return this.#places.size
  }

  /** @throws TOO_MANY_REQUESTS if all places of the actor are taken by files that still arrive; SERVER_BUSY */
  claim(owner: string, uploadId: string): Claim<T> {
    this.sweep()
    const { mostPerActor, mostInAll } = this.#limits
    while (this.#of(owner).length >= mostPerActor)
      if (!this.#removeOldestOf(owner))
        throw new CameoError('TOO_MANY_REQUESTS', 'too many of your uploads are still arriving')
    if (this.#places.size >= mostInAll) throw noRoom()
    const place: Place<T> = { uploadId, owner, bytes: 0, kept: undefined }
    this.#places.set(uploadId, place)
    return {
      uploadId,
      take: (bytes) => this.#take(place, bytes),
      keep: (valueOf) => {
        const expiresAtMs = this.#now() + this.#limits.keepMs
        const value = valueOf(expiresAtMs)
        place.kept = { value, expiresAtMs }
        return value
      },
      release: () => {
        if (place.kept === undefined) this.#remove(place)
      },
    }
  }

  /** @throws NOT_FOUND if it is expired, of another actor, or was never there */
  find(owner: string, uploadId: string): T {
    const place = this.#places.get(uploadId)
    const { kept } = place ?? {}
    if (kept === undefined || place?.owner !== owner || kept.expiresAtMs <= this.#now())
      throw new CameoError('NOT_FOUND', 'there is no such upload, or it has expired: upload the file again')
    return kept.value
  }

  /** @throws NOT_FOUND */
  remove(owner: string, uploadId: string): void {
    this.find(owner, uploadId)
    const place = this.#places.get(uploadId)
    if (place !== undefined) this.#remove(place)
  }

  /** Removes what has expired. */
  sweep(): void {
    const now = this.#now()
    for (const place of [...this.#places.values()])
      if (place.kept !== undefined && place.kept.expiresAtMs <= now) this.#remove(place)
  }

  #take(place: Place<T>, bytes: number): void {
    const { bytesPerActor, bytesInAll } = this.#limits
    while (sumOf(this.#of(place.owner)) + bytes > bytesPerActor)
      if (!this.#removeOldestOf(place.owner))
        throw new CameoError('UPLOAD_TOO_LARGE', 'the file is larger than the room for your uploads')
    if (sumOf([...this.#places.values()]) + bytes > bytesInAll) throw noRoom()
    place.bytes += bytes
  }

  /** @returns false if he has none that is complete */
  #removeOldestOf(owner: string): boolean {
    const oldest = this.#of(owner).find(({ kept }) => kept !== undefined)
    if (oldest !== undefined) this.#remove(oldest)
    return oldest !== undefined
  }

  #of(owner: string): Place<T>[] {
    return [...this.#places.values()].filter((place) => place.owner === owner)
  }

  #remove({ uploadId }: Place<T>): void {
    if (this.#places.delete(uploadId)) this.#onRemoved(uploadId)
  }
}

const sumOf = (places: readonly { readonly bytes: number }[]) =>
  places.reduce((sum, { bytes }) => sum + bytes, 0)

const noRoom = () => new CameoError('SERVER_BUSY', 'there is no room for further uploads at the moment')
