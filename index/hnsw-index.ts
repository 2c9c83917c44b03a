import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import hnswlib from 'hnswlib-node'
import { CameoError } from '../pipeline/errors.js'
import { readHnswHeader, sealHnswFile, widenEmptyIndex, type FileSeal } from './hnsw-file.js'
import {
  checkLabel,
  checkUnitVector,
  compareNeighbors,
  normaliseQuery,
  type Neighbor,
  type VectorIndex,
} from './vector-index.js'

/** Yury Malkov and Dmitry Yashunin, "Efficient and robust approximate nearest neighbor search using HNSW" (2016). */
export interface HnswParameters {
  /** Links a new vector makes in each layer (the paper's M). */
  readonly m: number
  /** Links a vector may have in the base layer (the paper's Mmax0; 2·m in most libraries). */
  readonly maxLinks: number
  /** Candidates looked at when a vector is added. */
  readonly efConstruction: number
  /** Candidates looked at in a search; more where more neighbours are asked for. */
  readonly ef: number
}

export const defaultHnswParameters: HnswParameters = { m: 64, maxLinks: 256, efConstruction: 64, ef: 600 }

/** A fixed seed: the same vectors in the same order give the same graph. */
const levelSeed = 100

/** Room is made for a quarter more vectors at a time; pages that are not used yet take no memory. */
const growth = 1.25
const firstCapacity = 1024

/**
 * Bytes of memory that an index of `count` vectors takes: vector, base-layer links and label; upper-layer links (one
 * vector in m−1 has them); hnswlib's lock (40), level (4), pointer (8), visited mark (2) and hash node (48); and
 * this class's set of labels (about 40).
 */
export function vectorIndexBytes(
  count: number,
  dimension: number,
  parameters: HnswParameters = defaultHnswParameters,
): number {
  const record = 4 * dimension + 4 * parameters.maxLinks + 4 + 8
  const upperLinks = (4 * parameters.m + 4) / (parameters.m - 1)
  return Math.ceil(count * (record + upperLinks + 40 + 4 + 8 + 2 + 48 + 40))
}

/**
 * An HNSW graph of hnswlib over inner products of unit vectors. Not to be changed while it is written to a file:
 * `add` and `erase` throw then. Searches may run at any time.
 */
export class HnswIndex implements VectorIndex {
  readonly dimension: number
  readonly parameters: HnswParameters
  readonly #graph: hnswlib.HierarchicalNSW
  readonly #live: Set<number>
  readonly #erased: Set<number>
  /** hnswlib takes number[]; one array serves all calls. */
  readonly #values: number[]
  #writing = false

  private constructor(
    graph: hnswlib.HierarchicalNSW,
    dimension: number,
    parameters: HnswParameters,
    erased: Iterable<number>,
  ) {
    this.dimension = dimension
    this.parameters = parameters
    this.#graph = graph
    this.#erased = new Set(erased)
    this.#live = new Set(graph.getIdsList())
    for (const label of this.#erased) this.#live.delete(label)
    this.#values = new Array<number>(dimension).fill(0)
    graph.setEf(parameters.ef)
  }

  static create(dimension: number, parameters: HnswParameters = defaultHnswParameters): HnswIndex {
    const graph = emptyGraph(dimension, parameters)
    graph.resizeIndex(firstCapacity)
    return new HnswIndex(graph, dimension, parameters, [])
  }

  /**
   * Loads a file written by `write`; its digest must have been checked. `erased` are the labels it was written with
   * as erased. Throws SNAPSHOT_DAMAGED where the file is of another dimension or other parameters.
   */
  static async load(
    file: string,
    dimension: number,
    parameters: HnswParameters,
    erased: Iterable<number>,
  ): Promise<HnswIndex> {
    const header = await readHnswHeader(file)
    const fits =
      header.labelOffset - header.vectorOffset === 4 * dimension &&
      header.m === parameters.m &&
      header.maxLinks === parameters.maxLinks &&
      header.efConstruction === Math.max(parameters.efConstruction, parameters.m)
    if (!fits)
      throw new CameoError('SNAPSHOT_DAMAGED', `${file} has another dimension or was built with other settings`)
    const graph = new hnswlib.HierarchicalNSW('ip', dimension)
    try {
      await graph.readIndex(file)
    } catch (cause) {
      throw new CameoError('SNAPSHOT_DAMAGED', `${file} cannot be loaded`, { cause })
    }
    return new HnswIndex(graph, dimension, parameters, erased)
  }

  get size(): number {
    return this.#live.size
  }

  /** Erased labels whose place in the graph is not freed. */
  get erasedLabels(): ReadonlySet<number> {
    return this.#erased
  }

  /** Vectors there is room for; `add` makes more when it is reached. */
  get capacity(): number {
    return this.#graph.getMaxElements()
  }

  has(label: number): boolean {
    return this.#live.has(label) || this.#erased.has(label)
  }

  add(label: number, vector: Float32Array): void {
    this.#refuseWhileWriting()
    checkLabel(label)
    checkUnitVector(vector, this.dimension, `the vector of label ${label}`)
    if (this.has(label))
      throw new CameoError('VECTOR_INVALID', `label ${label} is in the index already: labels are never reused`)
    if (this.#graph.getCurrentCount() >= this.capacity) this.reserve(Math.ceil(this.capacity * growth))
    for (let i = 0; i < this.dimension; i++) this.#values[i] = vector[i] ?? 0
    this.#graph.addPoint(this.#values, label)
    this.#live.add(label)
  }

  /** Makes room for `count` vectors in all. */
  reserve(count: number): void {
    this.#refuseWhileWriting()
    if (count > this.capacity) this.#graph.resizeIndex(count)
  }

  /**
   * The vector is not found any more, and `write` writes zeros in its place; its links still lead searches through
   * the graph. (Overwriting it in the graph instead makes hnswlib rewire all its neighbours: seconds at 256 links.)
   */
  erase(label: number): boolean {
    this.#refuseWhileWriting()
    if (!this.#live.delete(label)) return false
    this.#graph.markDelete(label)
    this.#erased.add(label)
    return true
  }

  search(query: Float32Array, k: number): Neighbor[] {
    normaliseQuery(query, this.#values)
    const count = Math.min(k, this.size)
    if (count <= 0) return []
    const { neighbors, distances } = this.#graph.searchKnn(this.#values, count)
    return neighbors
      .map((label, i) => ({ label, cosineSimilarity: 1 - (distances[i] ?? 1) }))
      .sort(compareNeighbors)
  }

  /** Writes, reads back and flushes a file without the vectors of erased labels; returns its size and digest. */
  async write(file: string): Promise<FileSeal> {
    this.#refuseWhileWriting()
    this.#writing = true
    try {
      await this.#graph.writeIndex(file)
    } finally {
      this.#writing = false
    }
    return sealHnswFile(file)
  }

  /** Frees the memory now; the garbage collector does not see how much hangs on this object. */
  close(): void {
    this.#refuseWhileWriting()
    this.#graph.initIndex(1, 2, 1)
    this.#live.clear()
    this.#erased.clear()
  }

  #refuseWhileWriting(): void {
    if (this.#writing) throw new Error('the HNSW index must not change while it is written to a file')
  }
}

/**
 * hnswlib's constructor fixes maxLinks = 2·M, but its file carries both. With room for more links than are made on
 * average, hardly a list is pruned: adding is twice as fast at equal recall, and no vector loses its last link to it.
 */
function emptyGraph(dimension: number, parameters: HnswParameters): hnswlib.HierarchicalNSW {
  const dir = mkdtempSync(join(tmpdir(), 'cameo-hnsw-'))
  try {
    const file = join(dir, 'empty.hnsw')
    const plain = new hnswlib.HierarchicalNSW('ip', dimension)
    plain.initIndex(1, parameters.m, parameters.efConstruction, levelSeed)
    plain.writeIndexSync(file)
    const bytes = readFileSync(file)
    widenEmptyIndex(bytes, dimension, parameters.maxLinks)
    writeFileSync(file, bytes)
    const graph = new hnswlib.HierarchicalNSW('ip', dimension)
    graph.readIndexSync(file)
    return graph
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
