import { CameoError } from '../pipeline/errors.js'
import {
  checkLabel,
  checkUnitVector,
  compareNeighbors,
  normaliseQuery,
  type Neighbor,
  type VectorIndex,
} from './vector-index.js'

/** Rows of the first allocation; it doubles when full. */
const firstCapacity = 256

/**
 * Compares the query with every vector. For small archives, and the oracle of the approximate index.
 * Measured at 512 dimensions: 0.46 ms per 1,000 vectors (hnswlib's own brute force, with SIMD: 0.2 ms).
 */
export class ExactIndex implements VectorIndex {
  readonly dimension: number
  /** Row-major [capacity, dimension]; rows of live vectors first. */
  #vectors: Float32Array
  #labels: Uint32Array
  #size = 0
  /** Row of each label; −1 where it is erased. */
  readonly #rows = new Map<number, number>()
  readonly #query: Float64Array

  constructor(dimension: number) {
    this.dimension = dimension
    this.#vectors = new Float32Array(firstCapacity * dimension)
    this.#labels = new Uint32Array(firstCapacity)
    this.#query = new Float64Array(dimension)
  }

  get size(): number {
    return this.#size
  }

  has(label: number): boolean {
    return this.#rows.has(label)
  }

  add(label: number, vector: Float32Array): void {
    checkLabel(label)
    checkUnitVector(vector, this.dimension, `the vector of label ${label}`)
    if (this.#rows.has(label))
      throw new CameoError(
        'VECTOR_INVALID',
        `label ${label} is in the index already: labels are never reused`,
      )
    if (this.#size === this.#labels.length) this.#grow()
    this.#vectors.set(vector, this.#size * this.dimension)
    this.#labels[this.#size] = label
    this.#rows.set(label, this.#size)
    this.#size++
  }

  erase(label: number): boolean {
    const row = this.#rows.get(label)
    if (row === undefined || row < 0) return false
    const last = this.#size - 1
    const lastLabel = this.#labels[last]
    this.#vectors.copyWithin(row * this.dimension, last * this.dimension, (last + 1) * this.dimension)
    this.#vectors.fill(0, last * this.dimension, (last + 1) * this.dimension)
    if (lastLabel !== undefined) {
      this.#labels[row] = lastLabel
      this.#rows.set(lastLabel, row)
    }
    this.#rows.set(label, -1)
    this.#size = last
    return true
  }

  search(query: Float32Array, k: number): Neighbor[] {
    normaliseQuery(query, this.#query)
    return k <= 0 ? [] : bestOf(similarities(this.#vectors, this.#query, this.#size), this.#labels, k)
  }

  #grow(): void {
    const vectors = new Float32Array(this.#vectors.length * 2)
    vectors.set(this.#vectors)
    const labels = new Uint32Array(this.#labels.length * 2)
    labels.set(this.#labels)
    this.#vectors = vectors
    this.#labels = labels
  }
}

/**
 * Inner products of `query` [D] with the first `count` rows of `vectors` [n, D], summed in float64. Four independent
 * sums a row let the processor overlap the additions: 0.46 µs a row of 512, against 0.9 with one sum (measured).
 */
function similarities(vectors: Float32Array, query: Float64Array, count: number): Float64Array {
  const dimension = query.length
  const blocked = dimension - (dimension % 4)
  const result = new Float64Array(count)
  for (let row = 0; row < count; row++) {
    const start = row * dimension
    let a = 0
    let b = 0
    let c = 0
    let d = 0
    for (let i = 0, at = start; i < blocked; i += 4, at += 4) {
      a += (vectors[at] ?? 0) * (query[i] ?? 0)
      b += (vectors[at + 1] ?? 0) * (query[i + 1] ?? 0)
      c += (vectors[at + 2] ?? 0) * (query[i + 2] ?? 0)
      d += (vectors[at + 3] ?? 0) * (query[i + 3] ?? 0)
    }
    for (let i = blocked; i < dimension; i++) a += (vectors[start + i] ?? 0) * (query[i] ?? 0)
    result[row] = a + b + c + d
  }
  return result
}

/** The k best of (similarity, label), sorted. Rows below the k-th similarity are never made objects. */
function bestOf(cosines: Float64Array, labels: Uint32Array, k: number): Neighbor[] {
  const floor = k < cosines.length ? (cosines.toSorted()[cosines.length - k] ?? -Infinity) : -Infinity
  const candidates: Neighbor[] = []
  for (const [row, cosineSimilarity] of cosines.entries())
    if (cosineSimilarity >= floor) candidates.push({ label: labels[row] ?? 0, cosineSimilarity })
  return candidates.sort(compareNeighbors).slice(0, k)
}
