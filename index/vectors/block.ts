import { AgreementCounter, type AgreementLayout } from './agreements.js'
import { createMemory, type WasmMemory, type WasmModule } from './assembler.js'
import { bindKernels, counterBits, planeBytes, planeRows, type VectorKernels } from './kernels.js'
import { comparedPlaces, type SignCoder } from './sign-code.js'

/**
 * Rows of a block: its vectors of 512 dimensions take 67 MB. Blocks rather than one memory, because WebAssembly's end
 * at 4 GB and growing copies nothing this way.
 */
export const blockRows = planeRows

/** Vectors of any length are padded with zeros to full steps of the kernels. */
export const roundUp = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple

/**
 * A memory with: query vector, vectors, a plane of bits for each place of the sign codes, counters of agreements,
 * addresses of planes, row numbers, inner products. Offsets in bytes.
 */
export class Block {
  readonly memory: WasmMemory
  readonly layout: AgreementLayout
  readonly agreements: AgreementCounter
  readonly #kernels: VectorKernels
  readonly #coder: SignCoder
  readonly #dimension: number
  readonly #floats: number
  readonly #at: Readonly<
    Record<'vectors' | 'planes' | 'counters' | 'addresses' | 'list' | 'products', number>
  >
  readonly #bytes: Uint8Array
  readonly #vectors: Float32Array
  readonly #query: Float32Array
  readonly #list: Uint32Array
  readonly #products: Float32Array

  constructor(dimension: number, module: WasmModule, coder: SignCoder) {
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
    this.#at = {
      vectors: part(4 * floats * blockRows),
      planes: part(planeBytes * coder.bits),
      counters: part(planeBytes * counterBits),
      addresses: part(4 * comparedPlaces),
      list: part(4 * blockRows),
      products: part(4 * blockRows),
    }
    this.memory = createMemory(end)
    const memory = this.memory.buffer
    this.layout = this.#at
    this.#kernels = bindKernels(module, this.memory)
    this.agreements = new AgreementCounter(this.#kernels, memory, this.layout)
    this.#bytes = new Uint8Array(memory)
    this.#vectors = new Float32Array(memory, this.#at.vectors, floats * blockRows)
    this.#query = new Float32Array(memory, 0, floats)
    this.#list = new Uint32Array(memory, this.#at.list, blockRows)
    this.#products = new Float32Array(memory, this.#at.products, blockRows)
  }

  get(row: number): Float32Array {
    return this.#vectors.subarray(row * this.#floats, row * this.#floats + this.#dimension)
  }

  set(row: number, vector: Float32Array): void {
    this.#vectors.set(vector, row * this.#floats)
    const products = this.#coder.products(vector)
    const bit = 1 << (row % 8)
    let at = this.#at.planes + Math.floor(row / 8)
    for (let place = 0; place < products.length; place++, at += planeBytes) {
      const others = (this.#bytes[at] ?? 0) & ~bit
      this.#bytes[at] = (products[place] ?? 0) > 0 ? others | bit : others
    }
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

  #dots(query: Float64Array, count: number): Float32Array {
    this.#query.set(query)
    const { vectors, list, products } = this.#at
    this.#kernels.dots(0, vectors, list, list + 4 * count, products)
    return this.#products.subarray(0, count)
  }
}
