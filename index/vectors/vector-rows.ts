import { createSignCoder, type SignCoder } from './sign-code.js'
import { bindKernels, compileKernels, type VectorKernels, type WasmModule } from './kernels.js'

/**
 * Rows of a block: its vectors of 512 dimensions take 34 MB, and the row numbers of a block fit in 16 bits. Blocks
 * rather than one memory, because WebAssembly's end at 4 GB and growing copies nothing this way.
 */
const blockRows = 16_384

/** Vectors of any length are padded with zeros to full steps of the kernels. */
const roundUp = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple

/** Bytes of memory that `count` rows take. */
export function vectorRowsBytes(count: number, dimension: number): number {
  const rowBytes = 4 * roundUp(dimension, 16) + createSignCoder(dimension).codeBytes
  // Beside it: scores (4), row numbers (4), distances (2), the label (4) and the map from label to row (about 40).
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
  #labels = new Uint32Array(blockRows)
  readonly #rows = new Map<number, number>()

  constructor(dimension: number) {
    this.dimension = dimension
    this.#coder = createSignCoder(dimension)
    this.#module = compileKernels(roundUp(dimension, 16), this.#coder.codeBytes)
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

  /** At most `count` rows whose signs agree most with the query's, in ascending order; of equals all or none. */
  nearestBySign(query: Float64Array, count: number): Uint32Array {
    const counts = new Uint32Array(8 * this.#coder.codeBytes + 1)
    // Plain loops: iterators over this many values take longer than the kernel.
    const distances = this.#blocks.map((block, i) => {
      const some = block.hamming(query, Math.max(0, Math.min(blockRows, this.size - i * blockRows)))
      for (let row = 0; row < some.length; row++) {
        const distance = some[row] ?? 0
        counts[distance] = (counts[distance] ?? 0) + 1
      }
      return some
    })
    let limit = 0
    let found = 0
    while (limit < counts.length && found + (counts[limit] ?? 0) <= count) found += counts[limit++] ?? 0
    const rows = new Uint32Array(found)
    let at = 0
    for (const [block, some] of distances.entries())
      for (let row = 0; row < some.length; row++)
        if ((some[row] ?? 0) < limit) rows[at++] = block * blockRows + row
    return rows
  }

  #block(row: number): Block {
    const block = this.#blocks[Math.floor(row / blockRows)]
    if (block === undefined) throw new RangeError(`row ${row} of ${this.size}`)
    return block
  }
}

/** A memory with: query vector, query code, vectors, codes, row numbers, scores, distances. Offsets in bytes. */
class Block {
  readonly #kernels: VectorKernels
  readonly #coder: SignCoder
  readonly #dimension: number
  readonly #floats: number
  readonly #codeBytes: number
  readonly #at: { query: number; queryCode: number; vectors: number; codes: number }
  readonly #atList: number
  readonly #atScores: number
  readonly #atDistances: number
  readonly #bytes: Uint8Array
  readonly #vectors: Float32Array
  readonly #query: Float32Array
  readonly #list: Uint32Array
  readonly #scores: Float32Array
  readonly #distances: Uint16Array

  constructor(dimension: number, module: WasmModule, coder: SignCoder) {
    this.#dimension = dimension
    this.#coder = coder
    this.#floats = roundUp(dimension, 16)
    this.#codeBytes = coder.codeBytes
    const queryCode = 4 * this.#floats
    const vectors = roundUp(queryCode + this.#codeBytes, 64)
    const codes = vectors + 4 * this.#floats * blockRows
    this.#at = { query: 0, queryCode, vectors, codes }
    this.#atList = codes + this.#codeBytes * blockRows
    this.#atScores = this.#atList + 4 * blockRows
    this.#atDistances = this.#atScores + 4 * blockRows
    const { memory, kernels } = bindKernels(module, this.#atDistances + 2 * blockRows)
    this.#kernels = kernels
    this.#bytes = new Uint8Array(memory)
    this.#vectors = new Float32Array(memory, vectors, this.#floats * blockRows)
    this.#query = new Float32Array(memory, 0, this.#floats)
    this.#list = new Uint32Array(memory, this.#atList, blockRows)
    this.#scores = new Float32Array(memory, this.#atScores, blockRows)
    this.#distances = new Uint16Array(memory, this.#atDistances, blockRows)
  }

  get(row: number): Float32Array {
    return this.#vectors.subarray(row * this.#floats, row * this.#floats + this.#dimension)
  }

  set(row: number, vector: Float32Array): void {
    this.#vectors.set(vector, row * this.#floats)
    this.#coder.encode(vector, this.#bytes, this.#at.codes + row * this.#codeBytes)
  }

  dotsOfFirst(query: Float64Array, count: number): Float32Array {
    for (let i = 0; i < count; i++) this.#list[i] = i
    return this.#dots(query, count)
  }

  /** `rows` count from the first row of all blocks. */
  dotsOf(query: Float64Array, rows: Uint32Array): Float32Array {
    for (const [i, row] of rows.entries()) this.#list[i] = row % blockRows
    return this.#dots(query, rows.length)
  }

  hamming(query: Float64Array, count: number): Uint16Array {
    if (count > 0) {
      this.#coder.encode(query, this.#bytes, this.#at.queryCode)
      const { queryCode, codes } = this.#at
      this.#kernels.hamming(queryCode, codes, this.#atDistances, this.#atDistances + 2 * count)
    }
    return this.#distances.subarray(0, count)
  }

  #dots(query: Float64Array, count: number): Float32Array {
    this.#query.set(query)
    const listEnd = this.#atList + 4 * count
    this.#kernels.dots(this.#at.query, this.#at.vectors, this.#atList, listEnd, this.#atScores)
    return this.#scores.subarray(0, count)
  }
}
