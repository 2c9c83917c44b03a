/** A found vector. */
export interface Neighbor {
  readonly label: number
  /** Inner product of two L2-normalised vectors, −1 to 1. */
  readonly cosineSimilarity: number
}

/** How a batch of queries is answered. */
export interface BatchOptions {
  /**
   * The engine may miss neighbours to which few paths lead, and is several times quicker with many vectors. For callers who
   * ask for the neighbours of every vector, so that each pair is looked for from both sides. Default: false.
   */
  readonly isQuick?: boolean
}

/** A vector and its label. */
export interface LabelledVector {
  /** An unsigned 32-bit number. */
  readonly label: number
  /** [dimension], L2-normalised. */
  readonly vector: Float32Array
}

/**
 * Finds nearest neighbours by cosine similarity, over L2-normalised float32 vectors of one dimension. Any engine can
 * implement it: arrays in memory, a graph, or a server on another machine.
 *
 * - A label is first unknown, then live, then erased. It never becomes live again.
 * - Each call takes a batch. Calls may overlap. A search sees a vector completely or not at all, and the engine
 * orders the changes itself.
 * - An engine in memory fails only because of its input. `DurableChanges` describes the failures of an engine on
 * another machine.
 *
 * The optional members declare what only some engines can do.
 */
export interface VectorIndex {
  readonly dimension: number
  /** Number of vectors that can be found, without erased ones. */
  count(): Promise<number>
  /** For each label: true if it was ever added, even if it is erased now. */
  has(labels: readonly number[]): Promise<boolean[]>
  /**
   * Adds all vectors, or none of them if one is refused.
   * @throws VECTOR_INVALID if a dimension differs, a value is not finite, a length is not 1, or a label is known or
   * appears twice; INDEX_TOO_LARGE if a label is not a uint32 or memory is too small
   */
  add(vectors: readonly LabelledVector[]): Promise<void>
  /** Erases vectors, so that searches no longer find them. Unknown and erased labels are ignored. */
  erase(labels: readonly number[]): Promise<void>
  /**
   * For each query, the best `k` neighbours, or all if there are fewer. Best first, ties by label. Only the direction
   * of a query matters, not its length.
   * @throws VECTOR_INVALID if a dimension differs, a value is not finite, or a query is zero
   */
  search(queries: readonly Float32Array[], k: number, options?: BatchOptions): Promise<Neighbor[][]>
  /** Waits for running calls, then frees the resources of the index. No call may follow. */
  close(): Promise<void>

  /** Present for an engine with its vectors in this process. */
  readonly memory?: MemoryUse | undefined
  /** Present for an engine in memory that can write snapshots, so that the next start does not rebuild the index. */
  readonly snapshots?: SnapshotWriter | undefined
  /** Present for an engine that stores its vectors outside this process and finds them again at the next start. */
  readonly durable?: DurableChanges | undefined
}

/** The memory of an index in this process. */
export interface MemoryUse {
  /** Total memory of the index, in bytes. */
  readonly bytes: number
  /** Number of erased vectors that use memory until the index is rebuilt. */
  readonly erased: number
  /** Reserves memory for `count` vectors in total. @throws INDEX_TOO_LARGE */
  reserve(count: number): Promise<void>
}

/** Writes an index in memory to files. */
export interface SnapshotWriter {
  /**
   * Writes the index to files and removes the files of the last snapshot. The index can be searched at the same time.
   * @param newest brings the index up to date and returns the number of its last change. It is called when no other
   * process can write snapshots here, so that vectors erased by others do not come back.
   * @throws ARCHIVE_FULL, ARCHIVE_READ_ONLY; the last snapshot can still be used
   */
  save(newest: () => Promise<number>): Promise<void>
}

/**
 * The contract of an engine with its own storage. It follows the archive's log of changes from any process.
 *
 * - Every call may be repeated after an error or a lost reply, and may run in several processes at once. A change
 * that is applied twice or late must have no effect. So the engine must remember an erased label without its vector.
 * - If the server cannot be reached, a call rejects with any error that is not a CameoError, or with a retriable
 * CameoError. Cameo retries with pauses, then reports ARCHIVE_BUSY. A call should end within seconds. A call without
 * an answer in time counts as failed.
 */
export interface DurableChanges {
  /** Number of the last stored change. All earlier changes are stored too. 0 if there is none. */
  lastChange(): Promise<number>
  /**
   * Stores a batch, then its number. When the call returns, both survive a crash of the engine. Vectors of `erase`
   * must be deleted, not only marked.
   * @throws VECTOR_INVALID like `add`, but a known label is ignored
   */
  apply(batch: ChangeBatch): Promise<void>
  /** Deletes all data of the space and its number. The space is then like a new one. */
  clear(): Promise<void>
}

/** Changes of the archive, in order. */
export interface ChangeBatch {
  readonly add: readonly LabelledVector[]
  readonly erase: readonly number[]
  /**
   * The number that `lastChange` returns from now on, unless its number is already higher. Undefined while an empty
   * engine is filled, because these batches are not in the order of the changes.
   */
  readonly lastChange: number | undefined
}

/** Best first, ties by label: the order of every search result. */
export function compareNeighbors(a: Neighbor, b: Neighbor): number {
  return b.cosineSimilarity - a.cosineSimilarity || a.label - b.label
}
