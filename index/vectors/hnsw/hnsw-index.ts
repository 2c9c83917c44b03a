import hnswlib from 'hnswlib-node'
import { CameoError } from '../../../pipeline/common/errors.js'
import { createPrivateFile } from '../../../pipeline/common/private-files.js'
import { CallOrder } from '../call-order.js'
import { checkBatch, normaliseQuery } from '../check-vectors.js'
import { bestNeighbors } from '../exact/exact-index.js'
import { VectorRows } from '../sign-codes/vector-rows.js'
import { createTimeSlice } from '../time-slice.js'
import type {
  BatchOptions,
  LabelledVector,
  MemoryUse,
  Neighbor,
  SnapshotWriter,
  VectorIndex,
} from '../vector-index.js'
import { readHnswFile, sealHnswFile, type FileSeal, type HnswLayout } from './hnsw-file.js'
import { defaultHnswParameters, vectorIndexBytes, type HnswParameters } from './hnsw-memory.js'

/**
 * The graph alone does not find people who appear only once or twice. Their vectors are orthogonal to nearly all
 * others, so no path leads to them. Measured on 100,000 vectors: of single tracks with cosine above .35 it returned
 * 76 % at ef 200, 94 % at 600, and 99.8 % at 2,400, which takes over 10 ms. So each search also compares the codes of
 * all vectors. It computes exact scores for the nearest of them: twice the requested number, and at least this many.
 */
const leastScored = 200

/**
 * `ef` of a quick search, which takes the neighbours of the graph alone. Grouping 100,000 made tracks with it finds the
 * same people as with all codes (`npm run bench:people`).
 */
const quickEf = 100

/** Capacity grows by a quarter at a time. Unused pages take no memory. */
const growth = 1.25
const firstCapacity = 1024

export interface HnswOptions {
  readonly parameters?: HnswParameters
  /**
   * Called before memory is reserved. Throws INDEX_TOO_LARGE to refuse.
   * @param count new capacity in vectors, including erased ones
   * @param held current capacity in vectors
   */
  readonly mayHold?: (count: number, held: number) => void
  /** Writes the index to files. If absent, the index has no snapshots. */
  readonly snapshots?: (index: HnswIndex) => SnapshotWriter
}

/** The parts of an index: empty, or loaded from a file. */
interface Contents {
  readonly graph: hnswlib.HierarchicalNSW
  readonly rows: VectorRows
  readonly erased: Set<number>
}

/**
 * hnswlib's graph over inner products of unit vectors, combined with a scan of codes. All similarities are exact
 * (float32). hnswlib must not be searched and changed at the same time, so each query and each insert is one
 * synchronous step. Searches may run while the index is written to a file. Changes wait until it is written.
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
  /** hnswlib needs number[]. One array is reused for all calls. */
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
  }

  static create(dimension: number, options: HnswOptions = {}): HnswIndex {
    const { parameters = defaultHnswParameters } = options
    const graph = new hnswlib.HierarchicalNSW('ip', dimension)
    graph.initIndex(firstCapacity, parameters.m, parameters.efConstruction)
    return new HnswIndex({ graph, rows: new VectorRows(dimension), erased: new Set() }, parameters, options)
  }

  /** Loads a file written by `write`. @throws SNAPSHOT_DAMAGED if the file does not match `seal` or these settings */
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
    // hnswlib trusts every number in a file, so it must not read a damaged one.
    if (found.bytes !== seal.bytes || found.sha256 !== seal.sha256)
      throw new CameoError('SNAPSHOT_DAMAGED', `the index file ${file} has a wrong checksum`)
    const graph = new hnswlib.HierarchicalNSW('ip', dimension)
    await graph.readIndex(file)
    return new HnswIndex({ graph, rows, erased }, parameters, options)
  }

  /** Capacity in vectors, including erased ones. */
  get capacity(): number {
    return this.#graph.getMaxElements()
  }

  /** Number of vectors that can be found, and of erased vectors that still occupy a place in the graph. */
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
   * Searches no longer find the vectors, and `write` replaces them with zeros. They stay in the graph in memory as
   * paths to their neighbours, because overwriting one there (hnswlib's addPoint) would rewire all of those.
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

  search(
    queries: readonly Float32Array[],
    k: number,
    { isQuick = false }: BatchOptions = {},
  ): Promise<Neighbor[][]> {
    return this.#calls.read(async () => {
      const found: Neighbor[][] = []
      const slice = createTimeSlice()
      for (const query of queries) {
        found.push(this.#searchOne(query, k, isQuick))
        await slice.end()
      }
      return found
    })
  }

  /** Writes, reads back and flushes a file without the vectors of erased labels; returns its size and digest. */
  write(file: string): Promise<FileSeal> {
    return this.#calls.change(async () => {
      // hnswlib would create the file with the umask.
      createPrivateFile(file)
      await this.#graph.writeIndex(file)
      return sealHnswFile(file, layoutOf(this.dimension, this.parameters))
    })
  }

  /**
   * Ends the threads and frees the graph's memory now. The garbage collector does not know how much memory this
   * object holds.
   */
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

  #searchOne(query: Float32Array, k: number, isQuick: boolean): Neighbor[] {
    normaliseQuery(query, this.#query)
    const count = Math.min(k, this.#rows.size)
    if (count <= 0) return []
    for (let i = 0; i < this.dimension; i++) this.#values[i] = this.#query[i] ?? 0
    const rows = isQuick ? this.#rowsNear(count, Math.max(count, quickEf)) : this.#candidates(count)
    const cosines = this.#rows.dotsOf(this.#query, rows)
    return bestNeighbors(cosines, (i) => this.#rows.labelOf(rows[i] ?? 0), count)
  }

  /** Candidate rows from the graph and the codes, in ascending order. */
  #candidates(count: number): Uint32Array {
    const { ef } = this.parameters
    const finishScan = this.#rows.startNearest(this.#query, Math.max(2 * count, leastScored))
    const near = this.#rowsNear(Math.min(count, ef), ef)
    const scanned = finishScan()
    const rows = new Uint32Array(scanned.length + near.length)
    rows.set(scanned)
    rows.set(near, scanned.length)
    rows.sort()
    return rows.filter((row, i) => row !== rows[i - 1])
  }

  /** Rows that the graph finds. @param ef number of candidates that it keeps, at least `count` */
  #rowsNear(count: number, ef: number): Uint32Array {
    this.#graph.setEf(ef)
    const { neighbors } = this.#graph.searchKnn(this.#values, count)
    const rows = new Uint32Array(neighbors.length)
    for (const [i, label] of neighbors.entries()) rows[i] = this.#rows.rowOf(label) ?? 0
    return rows
  }
}

function layoutOf(dimension: number, { m, efConstruction }: HnswParameters): HnswLayout {
  // hnswlib examines at least as many candidates as it creates links.
  return { dimension, m, efConstruction: Math.max(m, efConstruction) }
}

/**
 * Plain hnswlib with the settings of the product: the baseline for the index benchmark. `file`, if given, contains
 * the first vectors.
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
