import { CameoError } from '../../../pipeline/common/errors.js'
import { counted } from '../../../pipeline/common/counted.js'
import { vectorRowsBytes } from '../sign-codes/vector-rows.js'

/** Yury Malkov and Dmitry Yashunin, "Efficient and robust approximate nearest neighbor search using HNSW" (2016). */
export interface HnswParameters {
  /** Number of links of a new vector in each layer (M in the paper). The base layer has room for twice as many. */
  readonly m: number
  /** Number of candidates examined when a vector is added. */
  readonly efConstruction: number
  /**
   * Number of candidates examined in a search, and maximum number of neighbours from the graph. The code scan returns
   * as many as requested.
   */
  readonly ef: number
}

export const defaultHnswParameters: HnswParameters = { m: 16, efConstruction: 200, ef: 50 }

/**
 * Memory of an index with `count` vectors, in bytes. The graph: vector, base-layer links and label; upper-layer links
 * (one vector in m−1 has them); hnswlib's lock (40), level (4), pointer (8), visited mark (2), hash node (48). In
 * addition, a second copy of the vectors with their codes, because hnswlib does not return vectors fast enough to
 * score them.
 */
export function vectorIndexBytes(
  count: number,
  dimension: number,
  parameters: HnswParameters = defaultHnswParameters,
): number {
  const record = 4 * dimension + 8 * parameters.m + 4 + 8
  const upperLinks = (4 * parameters.m + 4) / (parameters.m - 1)
  return Math.ceil(count * (record + upperLinks + 102)) + vectorRowsBytes(count, dimension)
}

/**
 * Checks that a graph of `count` vectors fits in memory. Memory for `held` of them is already reserved.
 * @throws INDEX_TOO_LARGE
 */
export function refuseTooLarge(
  { dimension, maxBytes }: { readonly dimension: number; readonly maxBytes: number | undefined },
  parameters: HnswParameters,
  count: number,
  held = 0,
): void {
  const needed = vectorIndexBytes(count, dimension, parameters)
  const available = maxBytes ?? process.availableMemory() + vectorIndexBytes(held, dimension, parameters)
  if (needed > available)
    throw new CameoError(
      'INDEX_TOO_LARGE',
      `a vector index of ${counted(count, 'track')} needs ${megabytes(needed)} of memory, but only ${megabytes(available)} ` +
        'are available: use a machine with more memory, or an external vector database',
    )
}

const megabytes = (bytes: number) => `${Math.ceil(bytes / 1e6)} MB`
