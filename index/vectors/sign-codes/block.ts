import { CodeSearcher, type CodeLayout } from './code-search.js'
import { comparedPlaces, writeBytes, type Coder } from './codes.js'
import {
  bindKernels,
  counterBits,
  createMemory,
  planeBytes,
  planeRows,
  type Kernels,
  type WasmMemory,
} from './kernels.js'

/**
 * Rows per block. With 512 dimensions, the vectors of a block take 67 MB. There are several blocks instead of one
 * memory, because a WebAssembly memory is limited to 4 GB, and because growing then copies nothing.
 */
export const blockRows = planeRows

/** Rounds up to full steps of the kernels. Vectors are padded with zeros to this length. */
export const roundUp = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple

const wordRows = 32

/** Properties that all blocks share. */
export interface BlockKind {
  readonly dimension: number
  readonly coder: Coder
}

/** The vectors of some rows and their codes, in one memory; see `CodeLayout`. Offsets are in bytes. */
export class Block {
  readonly memory: WasmMemory
  readonly layout: CodeLayout
  readonly codes: CodeSearcher
  readonly #kernels: Kernels
  readonly #coder: Coder
  readonly #dimension: number
  readonly #floats: number
  readonly #vectorsAt: number
  readonly #bytes: Uint8ClampedArray
  readonly #vectors: Float32Array
  readonly #query: Float32Array
  readonly #list: Uint32Array
  readonly #products: Float32Array
  readonly #planes: Uint32Array
  /**
   * The bits of 32 rows, one word per plane. Planes are in different memory pages, so writing the bits of each row
   * directly would take longer than computing them.
   */
  readonly #words: Uint32Array
  /** The number of these 32 rows, and whether their bits are not yet written to the planes. */
  #group = 0
  #isAhead = false

  constructor({ dimension, coder }: BlockKind) {
    this.#dimension = dimension
    this.#coder = coder
    const floats = roundUp(dimension, 16)
    this.#floats = floats
    let end = 4 * floats
    const part = (bytes: number): number => {
      const start = roundUp(end, 64)
      end = start + bytes
      return start
    }
    this.#vectorsAt = part(4 * floats * blockRows)
    this.layout = {
      planes: part(planeBytes * coder.bits),
      bytes: part(coder.bits * blockRows),
      counters: part(planeBytes * (counterBits + 1)),
      addresses: part(4 * comparedPlaces),
      query: part(2 * coder.bits),
      found: part(4),
      list: part(4 * blockRows),
      scores: part(4 * blockRows),
    }
    this.memory = createMemory(end)
    const memory = this.memory.buffer
    this.#kernels = bindKernels(this.memory)
    this.codes = new CodeSearcher(this.#kernels, memory, this.layout)
    this.#bytes = new Uint8ClampedArray(memory, this.layout.bytes, coder.bits * blockRows)
    this.#planes = new Uint32Array(memory, this.layout.planes, (planeBytes / 4) * coder.bits)
    this.#words = new Uint32Array(coder.bits)
    this.#vectors = new Float32Array(memory, this.#vectorsAt, floats * blockRows)
    this.#query = new Float32Array(memory, 0, floats)
    this.#list = new Uint32Array(memory, this.layout.list, blockRows)
    this.#products = new Float32Array(memory, this.layout.scores, blockRows)
  }

  get(row: number): Float32Array {
    return this.#vectors.subarray(row * this.#floats, row * this.#floats + this.#dimension)
  }

  set(row: number, vector: Float32Array): void {
    this.#vectors.set(vector, row * this.#floats)
    const products = this.#coder.products(vector)
    this.#turnTo(Math.floor(row / wordRows))
    const bit = 1 << (row % wordRows)
    const words = this.#words
    for (let place = 0; place < products.length; place++) {
      const product = products[place] ?? 0
      const others = (words[place] ?? 0) & ~bit
      words[place] = product > 0 ? others | bit : others
    }
    this.#isAhead = true
    writeBytes(products, this.#bytes, row * products.length)
  }

  /** Call this before the codes are searched. */
  writePlanes(): void {
    if (!this.#isAhead) return
    for (let place = 0, at = this.#group; place < this.#words.length; place++, at += planeBytes / 4)
      this.#planes[at] = this.#words[place] ?? 0
    this.#isAhead = false
  }

  #turnTo(group: number): void {
    if (group === this.#group) return
    this.writePlanes()
    this.#group = group
    for (let place = 0, at = group; place < this.#words.length; place++, at += planeBytes / 4)
      this.#words[place] = this.#planes[at] ?? 0
  }

  dotsOfFirst(query: Float64Array, count: number): Float32Array {
    for (let i = 0; i < count; i++) this.#list[i] = i
    return this.#dots(query, count)
  }

  /** `rows` are counted from the first row of all blocks. */
  dotsOf(query: Float64Array, rows: Uint32Array): Float32Array {
    for (const [i, row] of rows.entries()) this.#list[i] = row % blockRows
    return this.#dots(query, rows.length)
  }

  #dots(query: Float64Array, count: number): Float32Array {
    this.#query.set(query)
    const { list, scores } = this.layout
    this.#kernels.dots(0, this.#vectorsAt, list, list + 4 * count, scores, this.#floats)
    return this.#products.subarray(0, count)
  }
}
