import { NumpyDtype } from './numpy-dtype.js'
import { PickleGlobal, type PickleValue } from './pickle-values.js'

/** A text or byte string up to this length may be met again in another clip; bytes. */
const smallBytes = 64
/** Of the small values of earlier clips so many are kept, those used last. */
const smallKept = 65_536

/**
 * What a pickle may refer back to. Python numbers every list, tuple, array and string that it writes, and 20 GB of
 * features hold tens of millions: within a clip everything can be referred to, across clips only what Python shares
 * in fact: the names and dtypes, always, and the small strings used last. So the memory does not grow with the file.
 */
export class PickleMemo {
  readonly #always = new Map<number, PickleValue>()
  readonly #small = new Map<number, PickleValue>()
  #ofThisClip = new Map<number, PickleValue>()
  #next = 0

  /** MEMOIZE numbers by itself. */
  append(value: PickleValue): void {
    this.put(this.#next, value)
  }

  put(index: number, value: PickleValue): void {
    this.#ofThisClip.set(index, value)
    this.#next = Math.max(this.#next, index + 1)
  }

  /** Throws Error where the value is not kept, or there never was one. */
  get(index: number): PickleValue {
    const value = this.#ofThisClip.get(index) ?? this.#always.get(index) ?? this.#small.get(index)
    if (value !== undefined) {
      if (this.#small.delete(index)) this.#small.set(index, value)
      return value
    }
    throw new Error(
      index < this.#next
        ? `it refers back to value ${index}, a list or array shared between clips, which is not kept while reading: write the file with copies in place of shared values`
        : `it refers to value ${index}, of which there are ${this.#next}`,
    )
  }

  /** A clip was handed out: its lists and arrays are let go. */
  endClip(): void {
    for (const [index, value] of this.#ofThisClip) {
      if (value instanceof PickleGlobal || value instanceof NumpyDtype) this.#always.set(index, value)
      else if (isSmall(value)) this.#small.set(index, value)
    }
    this.#ofThisClip = new Map()
    for (const index of this.#small.keys()) {
      if (this.#small.size <= smallKept) break
      this.#small.delete(index)
    }
  }
}

function isSmall(value: PickleValue): boolean {
  if (typeof value === 'string' || value instanceof Uint8Array) return value.length <= smallBytes
  return typeof value === 'number'
}
