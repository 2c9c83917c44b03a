import { CameoError } from '../../../pipeline/common/errors.js'
import {
  checkLabel,
  checkUnitVector,
  compareNeighbors,
  normaliseQuery,
  type Neighbor,
  type VectorIndex,
} from '../vector-index.js'
import { lowestOfBest } from '../kth-best.js'
import { VectorRows } from '../sign-codes/vector-rows.js'

/** Compares the query with every vector: for small archives, and the oracle of the approximate index. */
export class ExactIndex implements VectorIndex {
  readonly dimension: number
  readonly #rows: VectorRows
  readonly #erased = new Set<number>()
  readonly #query: Float64Array

  constructor(dimension: number) {
    this.dimension = dimension
    this.#rows = new VectorRows(dimension)
    this.#query = new Float64Array(dimension)
  }

  get size(): number {
    return this.#rows.size
  }

  has(label: number): boolean {
    return this.#rows.rowOf(label) !== undefined || this.#erased.has(label)
  }

  add(label: number, vector: Float32Array): void {
    checkLabel(label)
    checkUnitVector(vector, this.dimension, `the vector of label ${label}`)
    if (this.has(label))
      throw new CameoError(
        'VECTOR_INVALID',
        `label ${label} is in the index already: labels are never reused`,
      )
    this.#rows.add(label, vector)
  }

  erase(label: number): boolean {
    if (!this.#rows.erase(label)) return false
    this.#erased.add(label)
    return true
  }

  search(query: Float32Array, k: number): Neighbor[] {
    normaliseQuery(query, this.#query)
    return bestNeighbors(this.#rows.dotsOfAll(this.#query), (row) => this.#rows.labelOf(row), k)
  }
}

/** The `k` best of `cosines`, best first, ties by label. Few of those below the k-th best are made objects. */
export function bestNeighbors(cosines: Float32Array, labelAt: (i: number) => number, k: number): Neighbor[] {
  if (k <= 0) return []
  const lowest = lowestOfBest(cosines, k)
  const best: Neighbor[] = []
  for (let i = 0; i < cosines.length; i++) {
    const cosineSimilarity = cosines[i] ?? -1
    if (cosineSimilarity >= lowest) best.push({ label: labelAt(i), cosineSimilarity })
  }
  return best.sort(compareNeighbors).slice(0, k)
}
