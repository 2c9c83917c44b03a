import { comparedPlaces, placeParts } from './codes.js'
import { counterBits, planeBytes, planesAtOnce, type Kernels } from './kernels.js'

/** Number of rows that a kernel processes at once: 16 bytes of a plane. */
const columnRows = 128

/**
 * Offsets in the memory of a block: a plane of bits for each place of the sign codes, and the byte codes by row. For
 * a search: counters, addresses of planes, and the query; as results the number of rows, the rows, and their scores.
 */
export type CodeLayout = Readonly<
  Record<'planes' | 'bytes' | 'counters' | 'addresses' | 'query' | 'found' | 'list' | 'scores', number>
>

export interface CodeQuery {
  /** From `comparedPlacesOf`. */
  readonly places: Uint32Array
  /** From `wordsOf`. */
  readonly words: Int16Array
  /** The agreement that a row must reach. */
  readonly floor: number
}

/** Searches the codes of one block. Works in any thread. */
export class CodeSearcher {
  readonly #kernels: Kernels
  readonly #memory: SharedArrayBuffer
  readonly #layout: CodeLayout
  readonly #counters: Uint32Array
  readonly #addresses: Uint32Array
  readonly #found: Uint32Array

  constructor(kernels: Kernels, memory: SharedArrayBuffer, layout: CodeLayout) {
    this.#kernels = kernels
    this.#memory = memory
    this.#layout = layout
    this.#counters = new Uint32Array(memory, layout.counters, (planeBytes / 4) * (counterBits + 1))
    this.#addresses = new Uint32Array(memory, layout.addresses, comparedPlaces)
    this.#found = new Uint32Array(memory, layout.found, 1)
  }

  /** Finds the rows among the first `count` that agree enough, and scores them by their byte codes; see `results`. */
  search(query: CodeQuery, count: number): void {
    const { bytes, query: words, list, scores } = this.#layout
    const rows = new Uint32Array(this.#memory, list, count)
    let found = 0
    this.#forEachReached(query, 0, count, (row) => (rows[found++] = row))
    this.#found[0] = found
    if (found === 0) return
    new Int16Array(this.#memory, words, query.words.length).set(query.words)
    this.#kernels.byteDots(words, bytes, list, list + 4 * found, scores, query.words.length)
  }

  /** Results of the last search, by any thread: rows in ascending order, and their scores. */
  results(): { rows: Uint32Array; scores: Int32Array } {
    const { list, scores } = this.#layout
    const found = this.#found[0] ?? 0
    return {
      rows: new Uint32Array(this.#memory, list, found),
      scores: new Int32Array(this.#memory, scores, found),
    }
  }

  /**
   * Finds the rows with an agreement of at least `floor` with the query, among `count` rows from `first`, the start
   * of a column.
   */
  forEachAgreeing(
    { places, floor }: Pick<CodeQuery, 'places' | 'floor'>,
    first: number,
    count: number,
    found: (row: number, agreement: number) => void,
  ): void {
    const counters = this.#counters
    const step = planeBytes / 4
    this.#forEachReached({ places, floor }, first, count, (row, word, bit) => {
      let above = 0
      for (let at = word + (counterBits - 2) * step; at >= 0; at -= step)
        above = 2 * above + (((counters[at] ?? 0) >>> bit) & 1)
      found(row, floor + above)
    })
  }

  /** Also passes the position of a row's bits in the words of the counters. */
  #forEachReached(
    { places, floor }: Pick<CodeQuery, 'places' | 'floor'>,
    first: number,
    count: number,
    found: (row: number, word: number, bit: number) => void,
  ): void {
    this.#countAgreements(places, floor, first, count)
    const reached = ((counterBits - 1) * planeBytes) / 4
    for (let word = 0; word < count / 32; word++)
      for (let left = this.#counters[reached + word] ?? 0; left !== 0; left &= left - 1) {
        const bit = 31 - Math.clz32(left & -left)
        // The last column may extend beyond the rows.
        if (32 * word + bit >= count) break
        found(first + 32 * word + bit, word, bit)
      }
  }

  #countAgreements(places: Uint32Array, floor: number, first: number, count: number): void {
    const { planes, counters, addresses } = this.#layout
    for (let i = 0; i < comparedPlaces; i++)
      this.#addresses[i] = planes + (places[i] ?? 0) * planeBytes + first / 8
    // The start value makes the highest bit set exactly when the floor is reached.
    const start = 2 ** (counterBits - 1) - floor
    const bytes = 16 * Math.ceil(count / columnRows)
    for (let bit = 0; bit < counterBits; bit++) {
      const from = (bit * planeBytes) / 4
      this.#counters.fill((start >> bit) & 1 ? 0xffff_ffff : 0, from, from + bytes / 4)
    }
    let place = 0
    for (const { count: places, sign, weight } of placeParts)
      for (const end = place + places; place < end; place += planesAtOnce)
        // Adding to the second bit counts twice. Its carries may reach one more counter bit.
        this.#kernels.addPlanes(
          addresses + 4 * place,
          sign > 0 ? 0 : -1,
          counters + (weight - 1) * planeBytes,
          bytes,
          counterBits,
          planeBytes,
        )
  }
}
