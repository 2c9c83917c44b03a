import { Block, blockRows, roundUp, type BlockKind } from './block.js'
import { comparedPlacesOf, highestAgreement, createCoder, wordsOf, type Coder } from './codes.js'
import { lowestOfBest } from '../kth-best.js'
import { Scan } from './scan.js'

/**
 * Number of sampled rows, evenly spread over all rows. The sample shows which agreement a share of all rows reaches.
 */
const sampledRows = 4096
/** The sample is renewed when the number of rows has grown by this factor. */
const sampleGrowth = 1.25

/**
 * Number of rows with compared byte codes: the rows with the most agreeing signs. For a million rows it is 4,000. A
 * row with cosine .35 to the query is expected 3 deviations above the last of these, and one with .3 two deviations.
 */
const listedRows = (rows: number): number => 1500 + Math.round(0.0025 * rows)

/** Memory of `count` rows, in bytes. */
export function vectorRowsBytes(count: number, dimension: number): number {
  const { bits } = createCoder(dimension)
  // Also: row numbers (4), scores (4), counters (1.2), the label (4) and the map from label to row (about 40).
  return Math.ceil(count * (4 * roundUp(dimension, 16) + bits / 8 + bits + 54))
}

/**
 * Unit vectors by row, each with its codes, outside the JavaScript heap. Rows are dense: erasing moves the last row
 * into the gap.
 */
export class VectorRows {
  readonly dimension: number
  readonly #coder: Coder
  readonly #kind: BlockKind
  readonly #blocks: Block[] = []
  readonly #scan: Scan
  #sample: { readonly block: Block; readonly of: number } | undefined
  #labels = new Uint32Array(blockRows)
  readonly #rows = new Map<number, number>()

  constructor(dimension: number) {
    this.dimension = dimension
    this.#coder = createCoder(dimension)
    this.#kind = { dimension, coder: this.#coder }
    this.#scan = new Scan(this.#blocks, this.#coder.bits)
  }

  get size(): number {
    return this.#rows.size
  }

  /** The row of a label. Undefined if it has none. */
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
    if (row === this.#blocks.length * blockRows) this.#blocks.push(new Block(this.#kind))
    this.#block(row).set(row % blockRows, vector)
    this.#labels[row] = label
    this.#rows.set(label, row)
  }

  /** Erases a row and overwrites its vector. Returns false if the label has no row. */
  erase(label: number): boolean {
    const row = this.#rows.get(label)
    if (row === undefined) return false
    // The sample may contain the vector.
    this.#sample = undefined
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

  /** Inner products of `query` [D] with `rows`, which must be in ascending order; float32. */
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
   * Starts a search by codes for the `count` rows nearest to the query. The returned function waits for the result:
   * these rows and a few more, in ascending order. No row may change in between.
   */
  startNearest(query: Float64Array, count: number): () => Uint32Array {
    const listed = Math.max(listedRows(this.size), 4 * count)
    if (2 * listed >= this.size) return () => Uint32Array.from({ length: this.size }, (_, row) => row)
    for (const block of this.#blocks) block.writePlanes()
    const products = this.#coder.products(query)
    const places = comparedPlacesOf(products)
    const words = wordsOf(products)
    this.#scan.start({ places, words, floor: this.#floorOf(places, listed / this.size) }, this.size)
    return () => {
      const { rows, scores } = this.#scan.finish()
      const lowest = lowestOfBest(scores, count)
      return rows.filter((_, i) => (scores[i] ?? 0) >= lowest)
    }
  }

  /** Ends the helper threads. The rows must not be used afterwards. */
  close(): void {
    this.#scan.close()
  }

  /** The agreement that about `share` of all rows reach. */
  #floorOf(places: Uint32Array, share: number): number {
    const wanted = share * sampledRows
    const { codes } = this.#sampleBlock()
    const counts = new Uint32Array(highestAgreement + 1)
    let floor = 0
    // Few rows reach the first limit, so it is checked quickly. If they are not enough, all rows are checked.
    for (const least of [Math.round(0.55 * highestAgreement), 0]) {
      counts.fill(0)
      codes.forEachAgreeing({ places, floor: least }, 0, sampledRows, (_, agreement) => {
        counts[agreement] = (counts[agreement] ?? 0) + 1
      })
      floor = highestAgreement + 1
      let above = 0
      // Go down until the number of rows is closest to the wanted one.
      while (floor > least && above + (counts[floor - 1] ?? 0) / 2 < wanted) above += counts[--floor] ?? 0
      if (floor > least) break
    }
    return floor
  }

  #sampleBlock(): Block {
    if (this.#sample === undefined || this.size > sampleGrowth * this.#sample.of) {
      const block = new Block(this.#kind)
      for (let i = 0; i < sampledRows; i++) {
        const row = Math.floor(((i + 0.5) * this.size) / sampledRows)
        block.set(i, this.#block(row).get(row % blockRows))
      }
      block.writePlanes()
      this.#sample = { block, of: this.size }
    }
    return this.#sample.block
  }

  #block(row: number): Block {
    const block = this.#blocks[Math.floor(row / blockRows)]
    if (block === undefined) throw new RangeError(`row ${row} of ${this.size}`)
    return block
  }
}
