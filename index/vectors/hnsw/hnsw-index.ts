import hnswlib from 'hnswlib-node'
import { CameoError } from '../../../pipeline/common/errors.js'
import { createPrivateFile } from '../../../pipeline/common/private-files.js'
import { bestNeighbors } from '../exact/exact-index.js'
import {
  checkLabel,
  checkUnitVector,
  normaliseQuery,
  type Neighbor,
  type VectorIndex,
} from '../vector-index.js'
import { readHnswFile, sealHnswFile, type FileSeal, type HnswLayout } from './hnsw-file.js'
import { VectorRows, vectorRowsBytes } from '../sign-codes/vector-rows.js'

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
 * The graph alone does not find people who appear once or twice: their vectors are orthogonal to nearly all others,
 * so no path leads to them (measured on 100,000 vectors: of single tracks with cosine above .35 it returned 76 % at
 * ef 200, 94 % at 600, 99.8 % at 2,400, which takes over 10 ms). So each search also compares the codes of all vectors,
 * and scores exactly as many of the nearest as are asked for, twice over and at least this many.
 */
const leastScored = 200

/** Room is made for a quarter more vectors at a time; pages that are not used yet take no memory. */
const growth = 1.25
const firstCapacity = 1024

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

/**
 * hnswlib's graph over inner products of unit vectors, completed by a scan of codes; all similarities are
 * computed exactly (float32). Not to be changed while it is written to a file: `add` and `erase` throw then.
 * Searches may run at any time.
 */
export class HnswIndex implements VectorIndex {
  readonly dimension: number
  readonly parameters: HnswParameters
  readonly #graph: hnswlib.HierarchicalNSW
  readonly #rows: VectorRows
  readonly #erased: Set<number>
  readonly #query: Float64Array
  /** hnswlib takes number[]; one array serves all calls. */
  readonly #values: number[]
  #writing = false

  private constructor(
    graph: hnswlib.HierarchicalNSW,
    parameters: HnswParameters,
    rows: VectorRows,
    erased: Set<number>,
  ) {
    this.dimension = rows.dimension
    this.parameters = parameters
    this.#graph = graph
    this.#rows = rows
    this.#erased = erased
    this.#query = new Float64Array(rows.dimension)
    this.#values = new Array<number>(rows.dimension).fill(0)
    // Loading resets it.
    graph.setEf(parameters.ef)
  }

  static create(dimension: number, parameters: HnswParameters = defaultHnswParameters): HnswIndex {
    const graph = new hnswlib.HierarchicalNSW('ip', dimension)
    graph.initIndex(firstCapacity, parameters.m, parameters.efConstruction)
    return new HnswIndex(graph, parameters, new VectorRows(dimension), new Set())
  }

  /** Loads a file written by `write`. Throws SNAPSHOT_DAMAGED where it is not the file of `seal` or of these settings. */
  static async load(
    file: string,
    seal: FileSeal,
    dimension: number,
    parameters: HnswParameters,
  ): Promise<HnswIndex> {
    const rows = new VectorRows(dimension)
    const erased = new Set<number>()
    const found = await readHnswFile(file, layoutOf(dimension, parameters), (label, vector, isErased) => {
      if (isErased) erased.add(label)
      else rows.add(label, vector)
    })
    // hnswlib trusts every number in a file, so none is shown to it that is not as it was written.
    if (found.bytes !== seal.bytes || found.sha256 !== seal.sha256)
      throw new CameoError('SNAPSHOT_DAMAGED', `the index file ${file} has a wrong checksum`)
    const graph = new hnswlib.HierarchicalNSW('ip', dimension)
    await graph.readIndex(file)
    return new HnswIndex(graph, parameters, rows, erased)
  }

  get size(): number {
    return this.#rows.size
  }

  /** Erased vectors whose place in the graph is not freed. */
  get erased(): number {
    return this.#erased.size
  }

  /** Vectors there is room for, erased ones included. */
  get capacity(): number {
    return this.#graph.getMaxElements()
  }

  /** True where the next `add` grows the index to `nextCapacity`. */
  get isFull(): boolean {
    return this.#graph.getCurrentCount() >= this.capacity
  }

  get nextCapacity(): number {
    // An empty index is loaded with capacity 0.
    return Math.max(firstCapacity, Math.ceil(this.capacity * growth))
  }

  has(label: number): boolean {
    return this.#rows.rowOf(label) !== undefined || this.#erased.has(label)
  }

  add(label: number, vector: Float32Array): void {
    this.#refuseWhileWriting()
    checkLabel(label)
    checkUnitVector(vector, this.dimension, `the vector of label ${label}`)
    if (this.has(label))
      throw new CameoError(
        'VECTOR_INVALID',
        `label ${label} is in the index already: labels are never reused`,
      )
    if (this.isFull) this.reserve(this.nextCapacity)
    for (let i = 0; i < this.dimension; i++) this.#values[i] = vector[i] ?? 0
    this.#graph.addPoint(this.#values, label)
    this.#rows.add(label, vector)
  }

  /** Makes room for `count` vectors in all. */
  reserve(count: number): void {
    this.#refuseWhileWriting()
    if (count > this.capacity) this.#graph.resizeIndex(count)
  }

  /**
   * The vector is not found any more, and `write` puts zeros in its place. In the graph in memory it stays until then
   * as a way to its neighbours: to overwrite it there (hnswlib's addPoint) rewires them all.
   */
  erase(label: number): boolean {
    this.#refuseWhileWriting()
    if (!this.#rows.erase(label)) return false
    this.#graph.markDelete(label)
    this.#erased.add(label)
    return true
  }

  search(query: Float32Array, k: number): Neighbor[] {
    normaliseQuery(query, this.#query)
    const count = Math.min(k, this.size)
    if (count <= 0) return []
    const rows = this.#candidates(count)
    const cosines = this.#rows.dotsOf(this.#query, rows)
    return bestNeighbors(cosines, (i) => this.#rows.labelOf(rows[i] ?? 0), count)
  }

  /** Rows that the graph or the codes bring up for the query, in ascending order. */
  #candidates(count: number): Uint32Array {
    for (let i = 0; i < this.dimension; i++) this.#values[i] = this.#query[i] ?? 0
    const finishScan = this.#rows.startNearest(this.#query, Math.max(2 * count, leastScored))
    const { neighbors } = this.#graph.searchKnn(this.#values, Math.min(count, this.parameters.ef))
    const scanned = finishScan()
    const rows = new Uint32Array(scanned.length + neighbors.length)
    rows.set(scanned)
    for (const [i, label] of neighbors.entries()) rows[scanned.length + i] = this.#rows.rowOf(label) ?? 0
    rows.sort()
    return rows.filter((row, i) => row !== rows[i - 1])
  }

  /** Writes, reads back and flushes a file without the vectors of erased labels; returns its size and digest. */
  async write(file: string): Promise<FileSeal> {
    this.#refuseWhileWriting()
    this.#writing = true
    try {
      // hnswlib would make it by the umask.
      createPrivateFile(file)
      await this.#graph.writeIndex(file)
    } finally {
      this.#writing = false
    }
    return sealHnswFile(file, layoutOf(this.dimension, this.parameters))
  }

  /** Ends the threads and frees the graph's memory now; the garbage collector does not see how much hangs on this object. */
  close(): void {
    this.#refuseWhileWriting()
    this.#graph.initIndex(1, 2, 1)
    this.#rows.close()
  }

  #refuseWhileWriting(): void {
    if (this.#writing) throw new Error('the HNSW index must not change while it is written to a file')
  }
}

function layoutOf(dimension: number, { m, efConstruction }: HnswParameters): HnswLayout {
  // hnswlib never looks at fewer candidates than it makes links.
  return { dimension, m, efConstruction: Math.max(m, efConstruction) }
}

/**
 * hnswlib called in a loop with the product's settings and nothing around it: the measure for `npm run bench:index`.
 * `file`, where given, has its first vectors.
 */
export function createBareGraph(
  dimension: number,
  capacity: number,
  file?: string,
): {
  add(label: number, vector: Float32Array): void
  search(query: Float32Array, k: number): void
  reserve(count: number): void
  close(): void
} {
  const { m, efConstruction, ef } = defaultHnswParameters
  const graph = new hnswlib.HierarchicalNSW('ip', dimension)
  if (file === undefined) graph.initIndex(capacity, m, efConstruction)
  else {
    graph.readIndexSync(file)
    graph.resizeIndex(capacity)
  }
  graph.setEf(ef)
  return {
    add: (label, vector) => {
      graph.addPoint(Array.from(vector), label)
    },
    search: (query, k) => {
      graph.searchKnn(Array.from(query), k)
    },
    reserve: (count) => {
      graph.resizeIndex(count)
    },
    close: () => {
      graph.initIndex(1, 2, 1)
    },
  }
}
