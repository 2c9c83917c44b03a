import { GraphBuilder } from '../../../pipeline/onnx/graph-builder.js'
import { matmul } from '../../../pipeline/onnx/ops.js'
import { writeOnnx } from '../../../pipeline/onnx/onnx-file.js'
import { loadGraph, type SessionOptions } from '../../../pipeline/models/session.js'
import { rowCount, type VectorTable } from '../metrics/matrix-product.js'
import { TopClips } from '../metrics/top-clips.js'

/** Number of products in memory at once: 32 MB. */
const blockFloats = 2 ** 23

export interface ProductBlock {
  readonly firstRow: number
  /** Number of rows in this block. */
  readonly columns: number
  /** [queries, columns], row-major. The memory is reused for the next block. */
  readonly products: Float32Array
}

type Session = Omit<SessionOptions, 'graph'>

/**
 * Inner products of every row of `queries` with every row of `rows`, one block of rows at a time, in ascending order.
 * Like `multiplyTables`, but with matrix products of ONNX Runtime, which are several times faster for many queries.
 * @throws DEVICE_UNAVAILABLE as `loadGraph` does
 */
export async function* productBlocks(
  queries: VectorTable,
  rows: VectorTable,
  session: Session,
): AsyncGenerator<ProductBlock> {
  const { dimension } = queries
  if (rows.dimension !== dimension)
    throw new RangeError(`vectors of ${dimension} and of ${rows.dimension} values cannot be compared`)
  const [queryCount, total] = [rowCount(queries), rowCount(rows)]
  if (queryCount === 0 || total === 0) return
  const graph = await loadGraph('inner products', productGraph(dimension), session)
  try {
    const blockRows = Math.min(total, Math.max(1, Math.floor(blockFloats / queryCount)))
    const memory = new Float32Array(queryCount * blockRows)
    for (let firstRow = 0; firstRow < total; firstRow += blockRows) {
      const columns = Math.min(blockRows, total - firstRow)
      const products = memory.subarray(0, queryCount * columns)
      const block = rows.vectors.subarray(firstRow * dimension, (firstRow + columns) * dimension)
      await graph.run(
        {
          queries: { data: queries.vectors, dims: [queryCount, dimension] },
          rows: { data: block, dims: [columns, dimension] },
        },
        ['products'],
        { products: { data: products, dims: [queryCount, columns] } },
      )
      yield { firstRow, columns, products }
    }
  } finally {
    await graph.dispose()
  }
}

function productGraph(dimension: number): Uint8Array {
  const graph = new GraphBuilder()
  const queries = graph.input('queries', ['q', dimension])
  const rows = graph.input('rows', ['n', dimension])
  graph.output('products', matmul(graph, queries, rows, { transposeB: true }))
  return writeOnnx(graph.build())
}

export interface RankOptions {
  /** The clip of a row, negative if it must not be ranked. */
  readonly clipOf: (row: number) => number
  readonly clipNames: readonly string[]
  /** Number of clips to keep per query. Default: 100. */
  readonly keep?: number
  readonly session: Session
  readonly onProgress?: (doneRows: number, totalRows: number) => void
}

/**
 * The best clips of each query by the inner product with their best row: exact search.
 * @throws DEVICE_UNAVAILABLE as `loadGraph` does
 */
export async function rankByProducts(
  queries: VectorTable,
  rows: VectorTable,
  { clipOf, clipNames, keep, session, onProgress }: RankOptions,
): Promise<TopClips> {
  const top = new TopClips(rowCount(queries), clipNames, keep)
  for await (const { firstRow, columns, products } of productBlocks(queries, rows, session)) {
    top.addBlock(products, columns, (column) => clipOf(firstRow + column))
    onProgress?.(firstRow + columns, rowCount(rows))
  }
  return top
}
