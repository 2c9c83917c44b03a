import { CameoError } from '../../../pipeline/common/errors.js'
import { counted } from '../../../pipeline/common/counted.js'
import { vectorRowsBytes } from '../sign-codes/vector-rows.js'

/** Yury Malkov and Dmitry Yashunin, "Efficient and robust approximate nearest neighbor search using HNSW" (2016). */
export interface HnswParameters {
  /** Links a new vector makes in each layer (the paper's M); the base layer has room for twice as many. */
  readonly m: number
  /** Candidates looked at when a vector is added. */
  readonly efConstruction: number
  /** Candidates looked at in a search, and neighbours that the graph brings up; the code scan brings up as many as asked. */
  readonly ef: number
}

export const defaultHnswParameters: HnswParameters = { m: 16, efConstruction: 200, ef: 50 }

/**
 * Bytes of memory that an index of `count` vectors takes. The graph: vector, base-layer links and label; upper-layer
 * links (one vector in m−1 has them); hnswlib's lock (40), level (4), pointer (8), visited mark (2), hash node (48).
 * Beside it the vectors again with their codes, because hnswlib hands none out fast enough to score them.
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

/** Throws INDEX_TOO_LARGE where a graph of `count` vectors does not fit; there is room for `held` of them already. */
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
      `a vector index of ${counted(count, 'track')} needs ${megabytes(needed)} of memory and ${megabytes(available)} ` +
        'are available: use a machine with more memory, or an external vector database',
    )
}

const megabytes = (bytes: number) => `${Math.ceil(bytes / 1e6)} MB`
