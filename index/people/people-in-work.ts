import type { GroupPair } from './same-person.js'
import { shareFrames, type TracksToGroup } from './tracks-to-group.js'

/** What is known about tracks before they are grouped. */
export interface KnownLinks {
  /** Pairs of rows that show the same person. */
  readonly must: Iterable<readonly [a: number, b: number]>
  /** Pairs of rows that show two people. */
  readonly cannot: Iterable<readonly [a: number, b: number]>
  /** [count]: rows with different labels are never joined; -1 has none. */
  readonly labels?: Int32Array | undefined
}

/** Lightest weight of a track, so that hopeless faces still have a direction. */
const minWeight = 0.01

/**
 * The groups while they grow. A group is named by one of its rows, and its centre is the mean of its descriptors,
 * weighted by quality.
 */
export class PeopleInWork {
  readonly #tracks: TracksToGroup
  /** [count, dimension]: the weighted sum of each group, in its row. */
  readonly #sums: Float32Array
  /** Squared lengths of the sums. */
  readonly #squares: Float64Array
  readonly #weights: Float64Array
  readonly #parents: Int32Array
  readonly #versions: Int32Array
  readonly #labels: Int32Array
  /** Rows of each group with more than one. */
  readonly #members = new Map<number, number[]>()
  /** Rows of each such group, by clip. */
  readonly #byClip = new Map<number, Map<number, number[]>>()
  /** Rows that may not be in the same group. */
  readonly #cannot = new Map<number, Set<number>>()
  readonly #keepsApart: boolean

  /**
   * @param tracks their `vectors` are overwritten
   * @param keepsApart tracks that share frames are never joined
   */
  constructor(tracks: TracksToGroup, { must, cannot, labels }: KnownLinks, keepsApart: boolean) {
    const { count, dimension, vectors, qualities } = tracks
    this.#tracks = tracks
    this.#keepsApart = keepsApart
    this.#sums = vectors
    this.#weights = Float64Array.from(qualities, (quality) => Math.max(minWeight, quality))
    this.#squares = this.#weights.map((weight) => weight * weight)
    for (let row = 0; row < count; row++) {
      const weight = this.#weights[row] ?? 0
      for (let i = row * dimension, end = i + dimension; i < end; i++) vectors[i] = weight * (vectors[i] ?? 0)
    }
    this.#parents = Int32Array.from({ length: count }, (_, row) => row)
    this.#versions = new Int32Array(count)
    this.#labels = labels?.slice() ?? new Int32Array(count).fill(-1)
    for (const [a, b] of must) {
      const [one, other] = [this.groupOf(a), this.groupOf(b)]
      if (one !== other) this.join(one, other)
    }
    for (const [a, b] of cannot) this.#forbid(a, b)
  }

  /** The row that names the group of a row. */
  groupOf(row: number): number {
    let top = row
    for (let next = this.#parents[top] ?? top; next !== top; next = this.#parents[top] ?? top) top = next
    for (let at = row; at !== top;) {
      const next = this.#parents[at] ?? top
      this.#parents[at] = top
      at = next
    }
    return top
  }

  sizeOf(group: number): number {
    return this.#members.get(group)?.length ?? 1
  }

  /** Increases whenever the group changes. */
  versionOf(group: number): number {
    return this.#versions[group] ?? 0
  }

  compare(a: number, b: number): GroupPair {
    const { dimension } = this.#tracks
    const sums = this.#sums
    let dot = 0
    for (let i = a * dimension, j = b * dimension, end = i + dimension; i < end; i++, j++)
      dot += (sums[i] ?? 0) * (sums[j] ?? 0)
    const [qualityA, qualityB] = [this.#weights[a] ?? 0, this.#weights[b] ?? 0]
    return {
      product: dot / (qualityA * qualityB),
      squaredA: (this.#squares[a] ?? 0) / qualityA ** 2,
      squaredB: (this.#squares[b] ?? 0) / qualityB ** 2,
      qualityA,
      qualityB,
    }
  }

  /** False if something says that the groups are two people. */
  mayJoin(a: number, b: number): boolean {
    const [labelOfA = -1, labelOfB = -1] = [this.#labels[a], this.#labels[b]]
    if (labelOfA !== -1 && labelOfB !== -1 && labelOfA !== labelOfB) return false
    if (this.#isForbidden(a, b)) return false
    return !this.#keepsApart || !this.#shareFrames(a, b)
  }

  /** Joins two groups. Returns the row that names the new one. */
  join(a: number, b: number): number {
    const [kept, gone] = this.sizeOf(a) >= this.sizeOf(b) ? [a, b] : [b, a]
    const { dimension } = this.#tracks
    const sums = this.#sums
    let squares = 0
    for (let i = kept * dimension, j = gone * dimension, end = i + dimension; i < end; i++, j++) {
      const sum = (sums[i] ?? 0) + (sums[j] ?? 0)
      sums[i] = sum
      squares += sum * sum
    }
    this.#squares[kept] = squares
    this.#weights[kept] = (this.#weights[kept] ?? 0) + (this.#weights[gone] ?? 0)
    if (this.#labels[kept] === -1) this.#labels[kept] = this.#labels[gone] ?? -1
    this.#parents[gone] = kept
    this.#versions[kept] = (this.#versions[kept] ?? 0) + (this.#versions[gone] ?? 0) + 1
    this.#takeMembers(kept, gone)
    const forbidden = this.#cannot.get(gone)
    if (forbidden !== undefined) {
      this.#cannot.delete(gone)
      for (const row of forbidden) this.#forbiddenOf(kept).add(row)
    }
    return kept
  }

  /** Every group with its rows in ascending order, in order of the first rows. */
  groups(): readonly number[][] {
    const found = new Map<number, number[]>()
    for (let row = 0; row < this.#tracks.count; row++) {
      const group = this.groupOf(row)
      const rows = found.get(group)
      if (rows === undefined) found.set(group, [row])
      else rows.push(row)
    }
    return [...found.values()]
  }

  #takeMembers(kept: number, gone: number): void {
    const members = this.#members.get(kept) ?? [kept]
    const more = this.#members.get(gone) ?? [gone]
    for (const row of more) members.push(row)
    this.#members.set(kept, members)
    this.#members.delete(gone)
    this.#byClip.delete(gone)
    const byClip = this.#byClip.get(kept) ?? new Map<number, number[]>()
    if (!this.#byClip.has(kept)) for (const row of members) this.#addByClip(byClip, row)
    else for (const row of more) this.#addByClip(byClip, row)
    this.#byClip.set(kept, byClip)
  }

  #addByClip(byClip: Map<number, number[]>, row: number): void {
    const clip = this.#tracks.clips[row] ?? -1
    const rows = byClip.get(clip)
    if (rows === undefined) byClip.set(clip, [row])
    else rows.push(row)
  }

  #shareFrames(a: number, b: number): boolean {
    const [few, many] = this.sizeOf(a) <= this.sizeOf(b) ? [a, b] : [b, a]
    const manyByClip = this.#byClip.get(many)
    for (const row of this.#members.get(few) ?? [few]) {
      const others =
        manyByClip?.get(this.#tracks.clips[row] ?? -1) ?? (manyByClip === undefined ? [many] : [])
      if (others.some((other) => shareFrames(this.#tracks, row, other))) return true
    }
    return false
  }

  #forbid(a: number, b: number): void {
    const [one, other] = [this.groupOf(a), this.groupOf(b)]
    // A later correction says that they are one.
    if (one === other) return
    this.#forbiddenOf(one).add(b)
    this.#forbiddenOf(other).add(a)
  }

  #forbiddenOf(group: number): Set<number> {
    const known = this.#cannot.get(group) ?? new Set<number>()
    this.#cannot.set(group, known)
    return known
  }

  #isForbidden(a: number, b: number): boolean {
    for (const row of this.#cannot.get(a) ?? []) if (this.groupOf(row) === b) return true
    return false
  }
}
