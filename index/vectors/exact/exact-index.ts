import { CallOrder } from '../call-order.js'
import { checkBatch, normaliseQuery } from '../check-vectors.js'
import { lowestOfBest } from '../kth-best.js'
import { VectorRows, vectorRowsBytes } from '../sign-codes/vector-rows.js'
import { createTimeSlice } from '../time-slice.js'
import {
  compareNeighbors,
  type LabelledVector,
  type MemoryUse,
  type Neighbor,
  type VectorIndex,
} from '../vector-index.js'

/** Compares the query with every vector. Used for small archives, and as the reference for the approximate index. */
export class ExactIndex implements VectorIndex {
  readonly dimension: number
  readonly memory: MemoryUse
  readonly #rows: VectorRows
  readonly #erased = new Set<number>()
  readonly #query: Float64Array
  readonly #calls = new CallOrder()

  constructor(dimension: number) {
    this.dimension = dimension
    this.#rows = new VectorRows(dimension)
    this.#query = new Float64Array(dimension)
    const rows = this.#rows
    this.memory = {
      get bytes() {
        return vectorRowsBytes(rows.size, dimension)
      },
      // Erasing a row frees its memory.
      erased: 0,
      reserve: () => Promise.resolve(),
    }
  }

  count(): Promise<number> {
    return Promise.resolve(this.#rows.size)
  }

  has(labels: readonly number[]): Promise<boolean[]> {
    return Promise.resolve(labels.map((label) => this.#isKnown(label)))
  }

  add(vectors: readonly LabelledVector[]): Promise<void> {
    return this.#calls.change(async () => {
      checkBatch(vectors, this.dimension, (label) => this.#isKnown(label))
      const slice = createTimeSlice()
      for (const { label, vector } of vectors) {
        this.#rows.add(label, vector)
        await slice.end()
      }
    })
  }

  erase(labels: readonly number[]): Promise<void> {
    return this.#calls.change(() => {
      for (const label of labels) if (this.#rows.erase(label)) this.#erased.add(label)
    })
  }

  search(queries: readonly Float32Array[], k: number): Promise<Neighbor[][]> {
    return this.#calls.read(async () => {
      const found: Neighbor[][] = []
      const slice = createTimeSlice()
      for (const query of queries) {
        found.push(this.#searchOne(query, k))
        await slice.end()
      }
      return found
    })
  }

  close(): Promise<void> {
    return this.#calls.close(() => this.#rows.close())
  }

  #isKnown(label: number): boolean {
    return this.#rows.rowOf(label) !== undefined || this.#erased.has(label)
  }

  #searchOne(query: Float32Array, k: number): Neighbor[] {
    normaliseQuery(query, this.#query)
    return bestNeighbors(this.#rows.dotsOfAll(this.#query), (row) => this.#rows.labelOf(row), k)
  }
}

/** The `k` best of `cosines`, best first, ties by label. Creates objects only for these and a few more. */
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
