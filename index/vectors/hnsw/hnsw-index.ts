import hnswlib from 'hnswlib-node'
import { CameoError } from '../../../pipeline/common/errors.js'
import { createPrivateFile } from '../../../pipeline/common/private-files.js'
import { CallOrder } from '../call-order.js'
import { checkBatch, normaliseQuery } from '../check-vectors.js'
import { bestNeighbors } from '../exact/exact-index.js'
import { VectorRows } from '../sign-codes/vector-rows.js'
import { createTimeSlice } from '../time-slice.js'
import type { LabelledVector, MemoryUse, Neighbor, SnapshotWriter, VectorIndex } from '../vector-index.js'
import { readHnswFile, sealHnswFile, type FileSeal, type HnswLayout } from './hnsw-file.js'
import { defaultHnswParameters, vectorIndexBytes, type HnswParameters } from './hnsw-memory.js'

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

export interface HnswOptions {
  readonly parameters?: HnswParameters
  /**
   * Called before room is made, and throws INDEX_TOO_LARGE to refuse.
   * @param count of vectors for which there will be room, erased ones included
   * @param held for which there is room already
   */
  readonly mayHold?: (count: number, held: number) => void
  /** How the index is written to files; it is not where this is absent. */
  readonly snapshots?: (index: HnswIndex) => SnapshotWriter
}

/** What an index is made of: empty, or as it was in a file. */
interface Contents {
  readonly graph: hnswlib.HierarchicalNSW
  readonly rows: VectorRows
  readonly erased: Set<number>
}

/**
 * hnswlib's graph over inner products of unit vectors, completed by a scan of codes; all similarities are
 * computed exactly (float32). hnswlib must not be searched and changed at once: each query and each insert is one
 * synchronous step. Searches may run while the index is written to a file; changes wait until it is.
 */
export class HnswIndex implements VectorIndex {
  readonly dimension: number
  readonly parameters: HnswParameters
  readonly memory: MemoryUse
  readonly snapshots: SnapshotWriter | undefined
  readonly #graph: hnswlib.HierarchicalNSW
  readonly #rows: VectorRows
  readonly #erased: Set<number>
  readonly #mayHold: NonNullable<HnswOptions['mayHold']>
  readonly #query: Float64Array
  /** hnswlib takes number[]; one array serves all calls. */
  readonly #values: number[]
  readonly #calls = new CallOrder()

  private constructor({ graph, rows, erased }: Contents, parameters: HnswParameters, options: HnswOptions) {
    this.dimension = rows.dimension
    this.parameters = parameters
    this.#graph = graph
    this.#rows = rows
    this.#erased = erased
    this.#mayHold = options.mayHold ?? (() => undefined)
    this.#query = new Float64Array(rows.dimension)
    this.#values = new Array<number>(rows.dimension).fill(0)
    this.memory = {
      get bytes() {
        return vectorIndexBytes(rows.size + erased.size, rows.dimension, parameters)
      },
      get erased() {
        return erased.size
      },
      reserve: (count) => this.#reserve(count),
    }
    this.snapshots = options.snapshots?.(this)
    // Loading resets it.
    graph.setEf(parameters.ef)
  }

  static create(dimension: number, options: HnswOptions = {}): HnswIndex {
    const { parameters = defaultHnswParameters } = options
    const graph = new hnswlib.HierarchicalNSW('ip', dimension)
    graph.initIndex(firstCapacity, parameters.m, parameters.efConstruction)
    return new HnswIndex({ graph, rows: new VectorRows(dimension), erased: new Set() }, parameters, options)
  }

  /** Loads a file written by `write`. Throws SNAPSHOT_DAMAGED where it is not the file of `seal` or of these settings. */
  static async load(
    file: string,
    seal: FileSeal,
    dimension: number,
    options: HnswOptions = {},
  ): Promise<HnswIndex> {
    const { parameters = defaultHnswParameters } = options
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
    return new HnswIndex({ graph, rows, erased }, parameters, options)
  }

  /** Vectors there is room for, erased ones included. */
  get capacity(): number {
    return this.#graph.getMaxElements()
  }

  /** Vectors that can be found, and those whose place in the graph is not freed. */
  get counts(): { readonly live: number; readonly erased: number } {
    return { live: this.#rows.size, erased: this.#erased.size }
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
      const needed = this.#graph.getCurrentCount() + vectors.length
      // An empty index is loaded with capacity 0.
      if (needed > this.capacity)
        this.#grow(Math.max(needed, firstCapacity, Math.ceil(this.capacity * growth)))
      const slice = createTimeSlice()
      for (const { label, vector } of vectors) {
        for (let i = 0; i < this.dimension; i++) this.#values[i] = vector[i] ?? 0
        this.#graph.addPoint(this.#values, label)
        this.#rows.add(label, vector)
        await slice.end()
      }
    })
  }

  /**
   * The vectors are not found any more, and `write` puts zeros in their places. In the graph in memory they stay until then
   * as ways to their neighbours: to overwrite one there (hnswlib's addPoint) rewires them all.
   */
  erase(labels: readonly number[]): Promise<void> {
    return this.#calls.change(() => {
      for (const label of labels)
        if (this.#rows.erase(label)) {
          this.#graph.markDelete(label)
          this.#erased.add(label)
        }
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

  /** Writes, reads back and flushes a file without the vectors of erased labels; returns its size and digest. */
  write(file: string): Promise<FileSeal> {
    return this.#calls.change(async () => {
      // hnswlib would make it by the umask.
      createPrivateFile(file)
      await this.#graph.writeIndex(file)
      return sealHnswFile(file, layoutOf(this.dimension, this.parameters))
    })
  }

  /** Ends the threads and frees the graph's memory now; the garbage collector does not see how much hangs on this object. */
  close(): Promise<void> {
    return this.#calls.close(() => {
      this.#graph.initIndex(1, 2, 1)
      this.#rows.close()
    })
  }

  #isKnown(label: number): boolean {
    return this.#rows.rowOf(label) !== undefined || this.#erased.has(label)
  }

  #reserve(count: number): Promise<void> {
    return this.#calls.change(() => {
      this.#mayHold(count, this.capacity)
      if (count > this.capacity) this.#graph.resizeIndex(count)
    })
  }

  #grow(count: number): void {
    this.#mayHold(count, this.capacity)
    this.#graph.resizeIndex(count)
  }

  #searchOne(query: Float32Array, k: number): Neighbor[] {
    normaliseQuery(query, this.#query)
    const count = Math.min(k, this.#rows.size)
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
