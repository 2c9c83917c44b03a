import { counterBits, planeBytes, planesAtOnce, type VectorKernels } from './kernels.js'
import { comparedPlaces } from './sign-code.js'

/** Rows whose bits a kernel works on at once: 16 bytes of a plane. */
export const columnRows = 128

/** Where in a block's memory lie: the planes of its codes, room for counters and for addresses of planes. */
export interface AgreementLayout {
  readonly planes: number
  readonly counters: number
  readonly addresses: number
}

/** What a query looks for. */
export interface AgreementQuery {
  /** By `comparedPlacesOf`. */
  readonly places: Uint32Array
  /** Agreements that a row must have. */
  readonly floor: number
}

/** Counts in how many of the compared places the sign codes of a block's rows agree with a query's. */
export class AgreementCounter {
  readonly #kernels: VectorKernels
  readonly #layout: AgreementLayout
  readonly #counters: Uint32Array
  readonly #addresses: Uint32Array

  constructor(kernels: VectorKernels, memory: SharedArrayBuffer, layout: AgreementLayout) {
    this.#kernels = kernels
    this.#layout = layout
    this.#counters = new Uint32Array(memory, layout.counters, (planeBytes / 4) * counterBits)
    this.#addresses = new Uint32Array(memory, layout.addresses, comparedPlaces)
  }

  /** For `count` rows from `first`, a column's; the counts stay in the memory. */
  count({ places, floor }: AgreementQuery, first: number, count: number): void {
    const { planes, counters, addresses } = this.#layout
    for (let i = 0; i < comparedPlaces; i++)
      this.#addresses[i] = planes + (places[i] ?? 0) * planeBytes + first / 8
    // Counting starts so that the highest bit is set where the floor is reached.
    const start = 2 ** (counterBits - 1) - floor
    const bytes = 16 * Math.ceil(count / columnRows)
    for (let bit = 0; bit < counterBits; bit++) {
      const from = (bit * planeBytes) / 4
      this.#counters.fill((start >> bit) & 1 ? 0xffff_ffff : 0, from, from + bytes / 4)
    }
    for (let i = 0; i < comparedPlaces; i += planesAtOnce)
      this.#kernels.addPlanes(addresses + 4 * i, i < comparedPlaces / 2 ? 0 : -1, counters, bytes)
  }

  /** Calls `found` for the rows of the last `count`, with the same arguments, that reached the floor, in order. */
  forEachReached(
    { floor }: AgreementQuery,
    first: number,
    count: number,
    found: (row: number, agreements: number) => void,
  ): void {
    const counters = this.#counters
    const step = planeBytes / 4
    for (let word = 0; word < count / 32; word++)
      for (let left = counters[(counterBits - 1) * step + word] ?? 0; left !== 0; left &= left - 1) {
        const i = 31 - Math.clz32(left & -left)
        // The last column may be longer than the rows.
        if (32 * word + i >= count) break
        let above = 0
        for (let at = word + (counterBits - 2) * step; at >= 0; at -= step)
          above = 2 * above + (((counters[at] ?? 0) >>> i) & 1)
        found(first + 32 * word + i, floor + above)
      }
  }
}
