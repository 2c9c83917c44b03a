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
    while (at > 0) {
      const above = (at - 1) >> 1
      if (
        !isBefore(similarity, a, b, this.#similarities[above] ?? 0, this.#a[above] ?? 0, this.#b[above] ?? 0)
      )
        break
      this.#move(above, at)
      at = above
    }
    this.#put(at, a, b, similarity, version)
  }

  pop(): Edge | undefined {
    if (this.#size === 0) return undefined
    const top = this.#edge(0)
    const last = this.#edge(--this.#size)
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= this.#size) break
      if (below + 1 < this.#size && this.#isBeforeAt(below + 1, below)) below++
      const { similarity, a, b } = last
      if (
        !isBefore(this.#similarities[below] ?? 0, this.#a[below] ?? 0, this.#b[below] ?? 0, similarity, a, b)
      )
        break
      this.#move(below, at)
      at = below
    }
    this.#put(at, last.a, last.b, last.similarity, last.version)
    return top
  }

  #edge(at: number): Edge {
    return {
      ...{ a: this.#a[at] ?? 0, b: this.#b[at] ?? 0 },
      ...{ similarity: this.#similarities[at] ?? 0, version: this.#versions[at] ?? 0 },
    }
  }

  #isBeforeAt(i: number, j: number): boolean {
    const [one, other] = [this.#edge(i), this.#edge(j)]
    return isBefore(one.similarity, one.a, one.b, other.similarity, other.a, other.b)
  }

  #put(at: number, a: number, b: number, similarity: number, version: number): void {
    this.#a[at] = a
    this.#b[at] = b
    this.#similarities[at] = similarity
    this.#versions[at] = version
  }

  #move(from: number, to: number): void {
    this.#a[to] = this.#a[from] ?? 0
    this.#b[to] = this.#b[from] ?? 0
    this.#similarities[to] = this.#similarities[from] ?? 0
    this.#versions[to] = this.#versions[from] ?? 0
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

/** Ties by row, so that the order does not depend on the order of the calls. */
function isBefore(s: number, a: number, b: number, otherS: number, otherA: number, otherB: number): boolean {
  if (s !== otherS) return s > otherS
  return a !== otherA ? a < otherA : b < otherB
}
