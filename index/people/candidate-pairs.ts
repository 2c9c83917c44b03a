import { throwIfStopped } from '../../pipeline/common/stop.js'
import type { VectorIndex } from '../vectors/vector-index.js'
import type { CandidatePairs } from './group-tracks.js'

/** Nearest neighbours of each track that are compared with it. Groups grow along them, so a person may have more tracks. */
export const neighbours = 32

/** From so many comparisons of tracks on, the index is asked quickly: then nearly each pair is found from one of its sides. */
const manyComparisons = 5e9

/** Number of tracks that the index is asked about at once. */
const batch = 256

export interface NeighbourQuestion {
  /** [tracks, dimension], L2-normalised. */
  readonly vectors: Float32Array
  readonly dimension: number
  /** The label of each row in the index, ascending. */
  readonly labels: Uint32Array
  /** The rows whose neighbours are wanted, ascending. */
  readonly rows: Int32Array
  /** Cosine similarity from which a neighbour is a candidate. */
  readonly minSimilarity: number
  readonly signal?: AbortSignal | undefined
  /** Called with the number of rows that are done. */
  readonly onProgress?: (done: number) => void
}

/** Asks the index for the nearest neighbours of tracks. Pairs of mutual neighbours are contained twice. @throws INTERRUPTED */
export async function candidatePairs(
  index: Pick<VectorIndex, 'search'>,
  { vectors, dimension, labels, rows, minSimilarity, signal, onProgress }: NeighbourQuestion,
): Promise<CandidatePairs> {
  const pairs = new PairList()
  const isQuick = rows.length * labels.length >= manyComparisons
  for (let from = 0; from < rows.length; from += batch) {
    throwIfStopped(signal, 'the grouping of people')
    const some = rows.subarray(from, from + batch)
    const queries = Array.from(some, (row) => vectors.subarray(row * dimension, (row + 1) * dimension))
    // The first neighbour of a track is the track itself.
    const found = await index.search(queries, neighbours + 1, { isQuick })
    for (const [i, list] of found.entries()) {
      const row = some[i] ?? 0
      for (const { label, cosineSimilarity } of list) {
        const other = rowOf(labels, label)
        if (other === undefined || other === row || cosineSimilarity < minSimilarity) continue
        pairs.add(row, other)
      }
    }
    onProgress?.(from + some.length)
  }
  return pairs.toPairs()
}

/** The row of a label; undefined of a track that was added meanwhile. */
function rowOf(labels: Uint32Array, label: number): number | undefined {
  let [low, high] = [0, labels.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((labels[middle] ?? 0) < label) low = middle + 1
    else high = middle
  }
  return labels[low] === label ? low : undefined
}

/** A growing list, without an object for each of millions of pairs. */
class PairList {
  #from = new Int32Array(1024)
  #to = new Int32Array(1024)
  #count = 0

  add(from: number, to: number): void {
    if (this.#count === this.#from.length) {
      const [wasFrom, wasTo] = [this.#from, this.#to]
      this.#from = new Int32Array(2 * this.#count)
      this.#to = new Int32Array(2 * this.#count)
      this.#from.set(wasFrom)
      this.#to.set(wasTo)
    }
    this.#from[this.#count] = from
    this.#to[this.#count++] = to
  }

  toPairs(): CandidatePairs {
    return { from: this.#from.subarray(0, this.#count), to: this.#to.subarray(0, this.#count) }
  }
}
