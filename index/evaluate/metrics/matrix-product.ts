import { bindKernels, createMemory } from '../../vectors/sign-codes/kernels.js'

/** Vectors as rows, [count, dimension] row-major. */
export interface VectorTable {
  readonly dimension: number
  readonly vectors: Float32Array
}

/**
 * Number of rows of the second table that are multiplied at once. A block with 512 float32 per row stays in the
 * processor cache.
 */
const blockRows = 1024

export const rowCount = ({ dimension, vectors }: VectorTable): number => vectors.length / dimension

export const rowOf = ({ dimension, vectors }: VectorTable, row: number): Float32Array =>
  vectors.subarray(row * dimension, (row + 1) * dimension)

/**
 * Inner products of every row of `queries` with every row of `rows`, one block at a time, so that the products of a
 * million by a million vectors are never in memory together. Calls `onBlock` with the products of one query and the
 * rows from `firstRow` on. The array is reused afterwards. Rows are in ascending order for each query.
 */
export function multiplyTables(
  queries: VectorTable,
  rows: VectorTable,
  onBlock: (query: number, firstRow: number, products: Float32Array) => void,
): void {
  const { dimension } = queries
  if (rows.dimension !== dimension)
    throw new RangeError(`vectors of ${dimension} and of ${rows.dimension} values cannot be compared`)
  // The kernel needs multiples of 16 floats.
  const floats = Math.ceil(dimension / 16) * 16
  const rowBytes = floats * 4
  const [queryAt, rowsAt] = [0, rowBytes]
  const listAt = rowsAt + blockRows * rowBytes
  const outAt = listAt + blockRows * 4
  const memory = createMemory(outAt + blockRows * 4)
  const kernels = bindKernels(memory)
  new Uint32Array(memory.buffer, listAt, blockRows).forEach((_, i, list) => (list[i] = i))
  const query = new Float32Array(memory.buffer, queryAt, floats)
  const block = new Float32Array(memory.buffer, rowsAt, blockRows * floats)
  const total = rowCount(rows)
  for (let first = 0; first < total; first += blockRows) {
    const count = Math.min(blockRows, total - first)
    for (let i = 0; i < count; i++) block.set(rowOf(rows, first + i), i * floats)
    const products = new Float32Array(memory.buffer, outAt, count)
    for (let q = 0; q < rowCount(queries); q++) {
      query.set(rowOf(queries, q))
      kernels.dots(queryAt, rowsAt, listAt, listAt + count * 4, outAt, floats)
      onBlock(q, first, products)
    }
  }
}
