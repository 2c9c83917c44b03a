/** A vector that was found. */
export interface Neighbor {
  readonly label: number
  /** Inner product of two L2-normalised vectors, −1 to 1. */
  readonly cosineSimilarity: number
}

/** A vector and the label under which it is found. */
export interface LabelledVector {
  /** An unsigned 32-bit number. */
  readonly label: number
  /** [dimension], L2-normalised. */
  readonly vector: Float32Array
}

/**
 * Nearest neighbours by cosine similarity over L2-normalised float32 vectors of one dimension. Any engine can stand behind it:
 * arrays in memory, a graph, or a server on another machine.
 *
 * - A label goes one way: unknown, then live, then erased. It never comes back.
 * - Each call takes a batch. Calls may overlap: a search sees all or nothing of one vector, and an engine orders the changes itself.
 * - An engine in memory fails only for what it was given. How one on another machine fails is told at `DurableChanges`.
 *
 * What only some engines can do is declared by the optional members.
 */
export interface VectorIndex {
  readonly dimension: number
  /** How many vectors can be found; erased ones do not count. */
  count(): Promise<number>
  /** For each label whether it was ever added, also where it is erased by now. */
  has(labels: readonly number[]): Promise<boolean[]>
  /**
   * Adds all of the vectors; none of them where one is refused.
   * @throws VECTOR_INVALID where a dimension differs, a value is not finite, a length is not 1, or a label is known or comes
   *   twice; INDEX_TOO_LARGE where a label is no uint32, or memory is too small
   */
  add(vectors: readonly LabelledVector[]): Promise<void>
  /** The vectors are not found any more. Labels that are unknown or erased change nothing. */
  erase(labels: readonly number[]): Promise<void>
  /**
   * For each query its neighbours: the best `k`, or all where there are fewer, best first, ties by label. The length of a query
   * does not matter, only its direction.
   * @throws VECTOR_INVALID where a dimension differs, a value is not finite, or a query is zero
   */
  search(queries: readonly Float32Array[], k: number): Promise<Neighbor[][]>
  /** Waits for the calls under way, then frees what the index holds. No call may follow. */
  close(): Promise<void>

  /** Of an engine whose vectors are in this process. */
  readonly memory?: MemoryUse | undefined
  /** Of an engine in memory that can write itself to files, so that the next start does not build it anew. */
  readonly snapshots?: SnapshotWriter | undefined
  /** Of an engine that keeps its vectors outside of this process, and finds them again at the next start. */
  readonly durable?: DurableChanges | undefined
}

/** What an index in this process takes. */
export interface MemoryUse {
  /** All that the index takes. */
  readonly bytes: number
  /** Erased vectors that take room until the index is built anew. */
  readonly erased: number
  /** Makes room for `count` vectors in all. Throws INDEX_TOO_LARGE. */
  reserve(count: number): Promise<void>
}

/** Writes an index in memory to files. */
export interface SnapshotWriter {
  /**
   * Writes the index to files, and removes those of its last snapshot. The index can be searched meanwhile.
   * @param newest brings the index up to date and returns the number of the last change in it; it is called when no other
   *   process writes snapshots here any more, so that vectors erased by others do not come back
   * @throws ARCHIVE_FULL, ARCHIVE_READ_ONLY; the last snapshot is usable then, too
   */
  save(newest: () => Promise<number>): Promise<void>
}

/**
 * What an engine with storage of its own must do, so that it can follow the archive's log of changes from any process.
 *
 * - Every call may be repeated after an error or a lost reply, and may run in several processes at once. Labels go one way
 *   only, so a change that is applied twice or late changes nothing: an erased label must stay known without its vector.
 * - Where the server cannot be reached, a call rejects with any error that is no CameoError, or with a retriable one. Cameo
 *   tries again with pauses, and then tells ARCHIVE_BUSY. A call should end within seconds; one that does not answer in time is
 *   taken as failed.
 */
export interface DurableChanges {
  /** Number of the last change that is stored, together with all before it; 0 where there is none. */
  lastChange(): Promise<number>
  /**
   * Stores a batch, and then its number. Both survive a crash of the engine when the call returns. Vectors of `erase` are deleted
   * and not only marked.
   * @throws VECTOR_INVALID as `add` does, but a known label changes nothing
   */
  apply(batch: ChangeBatch): Promise<void>
  /** Deletes everything of the space, and its number: it is then as new. */
  clear(): Promise<void>
}

/** Changes of the archive, in their order. */
export interface ChangeBatch {
  readonly add: readonly LabelledVector[]
  readonly erase: readonly number[]
  /**
   * The number that `lastChange` returns from now on, unless it is higher already; undefined while an empty engine is filled,
   * where the batches are in no order of changes.
   */
  readonly lastChange: number | undefined
}

/** Best first, ties by label: the order of every search result. */
export function compareNeighbors(a: Neighbor, b: Neighbor): number {
  return b.cosineSimilarity - a.cosineSimilarity || a.label - b.label
}
