import { NumpyDtype } from './numpy-dtype.js'
import { PickleGlobal, type PickleValue } from './pickle-values.js'

/** Maximum length of a text or byte string that other clips may refer to, in bytes. */
const smallBytes = 64
/** Number of small values of earlier clips that are kept, most recently used first. */
const smallKept = 65_536

/**
 * The values that a pickle may refer back to. Python numbers every list, tuple, array and string that it writes; 20
 * GB of features contain tens of millions of them. Within a clip, every value is kept. Across clips, only values that
 * Python really shares are kept: all names and dtypes, and the most recently used small strings. So the memory does
 * not grow with the file.
 */
export class PickleMemo {
  readonly #always = new Map<number, PickleValue>()
  readonly #small = new Map<number, PickleValue>()
  #ofThisClip = new Map<number, PickleValue>()
  #next = 0

  /** Adds a value under the next number (MEMOIZE). */
  append(value: PickleValue): void {
    this.put(this.#next, value)
  }

  put(index: number, value: PickleValue): void {
    this.#ofThisClip.set(index, value)
    this.#next = Math.max(this.#next, index + 1)
  }

  /** Throws an Error if the value was not kept or never existed. */
  get(index: number): PickleValue {
    const value = this.#ofThisClip.get(index) ?? this.#always.get(index) ?? this.#small.get(index)
    if (value !== undefined) {
      if (this.#small.delete(index)) this.#small.set(index, value)
      return value
    }
    throw new Error(
      index < this.#next
        ? `it refers back to value ${index}, a list or array shared between clips, which is not kept while reading: write the file with copies instead of shared values`
        : `it refers to value ${index}, but there are only ${this.#next}`,
    )
  }

  /** Call this after a clip was returned: releases its lists and arrays. */
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
