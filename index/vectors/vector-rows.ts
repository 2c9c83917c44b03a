import { columnRows, type AgreementQuery } from './agreements.js'
import type { WasmModule } from './assembler.js'
import { Block, blockRows, roundUp } from './block.js'
import { compileKernels } from './kernels.js'
import { Scan } from './scan.js'
import { comparedPlaces, comparedPlacesOf, createSignCoder, type SignCoder } from './sign-code.js'

/**
 * Columns, evenly spread over all rows, that tell how many agreements so many rows have; by `floorSlack` more rows are
 * listed than were asked for, because a sample is inexact.
 */
const sampledColumns = 32
const floorSlack = 4

/** Bytes of memory that `count` rows take. */
export function vectorRowsBytes(count: number, dimension: number): number {
  const rowBytes = 4 * roundUp(dimension, 16) + createSignCoder(dimension).bits / 8
  // Beside it: products (4), row numbers (4), counters (1.2), the label (4) and the map from label to row (about 40).
  return Math.ceil(count * (rowBytes + 54))
}

/**
 * Unit vectors by row, each with its sign code, outside of JavaScript's heap. Rows are dense: erasing moves the last
 * row into the gap.
 */
export class VectorRows {
  readonly dimension: number
  readonly #module: WasmModule
  readonly #coder: SignCoder
  readonly #blocks: Block[] = []
  readonly #scan: Scan
  #labels = new Uint32Array(blockRows)
  readonly #rows = new Map<number, number>()

  constructor(dimension: number) {
    this.dimension = dimension
    this.#coder = createSignCoder(dimension)
    const floats = roundUp(dimension, 16)
    this.#module = compileKernels(floats)
    this.#scan = new Scan(this.#blocks, floats)
  }

  get size(): number {
    return this.#rows.size
  }

  /** The row of a label, `undefined` where it has none. */
  rowOf(label: number): number | undefined {
    return this.#rows.get(label)
  }

  labelOf(row: number): number {
    return this.#labels[row] ?? 0
  }

  add(label: number, vector: Float32Array): void {
    const row = this.size
    if (row === this.#labels.length) {
      const labels = new Uint32Array(2 * row)
      labels.set(this.#labels)
      this.#labels = labels
    }
    if (row === this.#blocks.length * blockRows)
      this.#blocks.push(new Block(this.dimension, this.#module, this.#coder))
    this.#block(row).set(row % blockRows, vector)
    this.#labels[row] = label
    this.#rows.set(label, row)
  }

  /** False where the label has no row. Its vector is overwritten. */
  erase(label: number): boolean {
    const row = this.#rows.get(label)
    if (row === undefined) return false
    const last = this.size - 1
    if (row !== last) {
      const lastLabel = this.labelOf(last)
      this.#block(row).set(row % blockRows, this.#block(last).get(last % blockRows))
      this.#labels[row] = lastLabel
      this.#rows.set(lastLabel, row)
    }
    this.#block(last).set(last % blockRows, new Float32Array(this.dimension))
    this.#rows.delete(label)
    return true
  }

  /** Inner products of `query` [D] with all rows, in order; float32. */
  dotsOfAll(query: Float64Array): Float32Array {
    const result = new Float32Array(this.size)
    for (const [i, block] of this.#blocks.entries()) {
      const start = i * blockRows
      const count = Math.min(blockRows, this.size - start)
      if (count > 0) result.set(block.dotsOfFirst(query, count), start)
    }
    return result
  }

  /** Inner products of `query` [D] with `rows`, which are in ascending order; float32. */
  dotsOf(query: Float64Array, rows: Uint32Array): Float32Array {
    const result = new Float32Array(rows.length)
    for (let from = 0; from < rows.length;) {
      const index = Math.floor((rows[from] ?? 0) / blockRows)
      let to = from
      while (to < rows.length && (rows[to] ?? 0) < (index + 1) * blockRows) to++
      const block = this.#block(index * blockRows)
      result.set(block.dotsOf(query, rows.subarray(from, to)), from)
      from = to
    }
    return result
  }

  /**
   * Starts to look for at most `count` rows whose signs agree most with the query's. The function returned waits for
   * them; they come in ascending order, of equals all or none. No row may change in between.
   */
  startNearestBySign(query: Float64Array, count: number): () => Uint32Array {
    if (2 * floorSlack * count >= this.size)
      return () => Uint32Array.from({ length: this.size }, (_, row) => row)
    const places = comparedPlacesOf(this.#coder.products(query))
    const floor = this.#agreementFloor(places, (floorSlack * count) / this.size)
    this.#scan.start({ places, floor }, this.size)
    return () => {
      const counts = new Uint32Array(comparedPlaces + 1)
      const found: number[] = []
      const agreements: number[] = []
      this.#scan.forEachReached((row, agreement) => {
        counts[agreement] = (counts[agreement] ?? 0) + 1
        found.push(row)
        agreements.push(agreement)
      })
      let limit = comparedPlaces + 1
      for (let above = 0; limit > floor && above + (counts[limit - 1] ?? 0) <= count;)
        above += counts[--limit] ?? 0
      return Uint32Array.from(found.filter((_, i) => (agreements[i] ?? 0) >= limit))
    }
  }

  /** Ends the threads that help; the rows are not used any more. */
  close(): void {
    this.#scan.close()
  }

  /** The number of agreements that about this share of all rows reaches. */
  #agreementFloor(places: Uint32Array, share: number): number {
    const all: AgreementQuery = { places, floor: 0 }
    const columns = Math.floor(this.size / columnRows)
    const sampled = Math.min(sampledColumns, columns)
    const counts = new Uint32Array(comparedPlaces + 1)
    for (let i = 0; i < sampled; i++) {
      const row = columnRows * Math.floor(((i + 0.5) * columns) / sampled)
      const { agreements } = this.#block(row)
      agreements.count(all, row % blockRows, columnRows)
      agreements.forEachReached(all, row % blockRows, columnRows, (_, agreement) => {
        counts[agreement] = (counts[agreement] ?? 0) + 1
      })
    }
    let floor = comparedPlaces + 1
    for (let above = 0; floor > 0 && above < share * sampled * columnRows;) above += counts[--floor] ?? 0
    return floor
  }

  #block(row: number): Block {
    const block = this.#blocks[Math.floor(row / blockRows)]
    if (block === undefined) throw new RangeError(`row ${row} of ${this.size}`)
    return block
  }
}
