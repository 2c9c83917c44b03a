/** A pair of tracks or groups, by their rows, and how alike they are. */
export interface Edge {
  readonly a: number
  readonly b: number
  readonly similarity: number
  /** Changes of both sides until the similarity was computed. */
  readonly version: number
}

const firstCapacity = 1024

/** A queue of edges, the most similar first: a binary heap in typed arrays, since there are millions of them. */
export class EdgeQueue {
  #similarities = new Float32Array(firstCapacity)
  #a = new Int32Array(firstCapacity)
  #b = new Int32Array(firstCapacity)
  #versions = new Int32Array(firstCapacity)
  #size = 0

  get size(): number {
    return this.#size
  }

  push({ a, b, similarity, version }: Edge): void {
    if (this.#size === this.#a.length) this.#grow()
    let at = this.#size++
    this.#put(at, a, b, similarity, version)
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!this.#isBefore(at, above)) break
      this.#swap(at, above)
      at = above
    }
  }

  pop(): Edge | undefined {
    if (this.#size === 0) return undefined
    const top = this.#edge(0)
    this.#swap(0, --this.#size)
    for (let at = 0, below = 1; below < this.#size; below = 2 * at + 1) {
      if (below + 1 < this.#size && this.#isBefore(below + 1, below)) below++
      if (!this.#isBefore(below, at)) break
      this.#swap(below, at)
      at = below
    }
    return top
  }

  #edge(at: number): Edge {
    const [a = 0, b = 0] = [this.#a[at], this.#b[at]]
    return { a, b, similarity: this.#similarities[at] ?? 0, version: this.#versions[at] ?? 0 }
  }

  /** Ties by row, so that the order does not depend on the order of the calls. */
  #isBefore(i: number, j: number): boolean {
    const [one = 0, other = 0] = [this.#similarities[i], this.#similarities[j]]
    if (one !== other) return one > other
    const [a = 0, otherA = 0] = [this.#a[i], this.#a[j]]
    return a !== otherA ? a < otherA : (this.#b[i] ?? 0) < (this.#b[j] ?? 0)
  }

  #put(at: number, a: number, b: number, similarity: number, version: number): void {
    this.#a[at] = a
    this.#b[at] = b
    this.#similarities[at] = similarity
    this.#versions[at] = version
  }

  #swap(i: number, j: number): void {
    for (const values of [this.#similarities, this.#a, this.#b, this.#versions]) {
      const kept = values[i] ?? 0
      values[i] = values[j] ?? 0
      values[j] = kept
    }
  }

  #grow(): void {
    const larger = <T extends Float32Array | Int32Array>(made: T, from: T) => {
      made.set(from)
      return made
    }
    const capacity = 2 * this.#a.length
    this.#similarities = larger(new Float32Array(capacity), this.#similarities)
    this.#a = larger(new Int32Array(capacity), this.#a)
    this.#b = larger(new Int32Array(capacity), this.#b)
    this.#versions = larger(new Int32Array(capacity), this.#versions)
  }
}
