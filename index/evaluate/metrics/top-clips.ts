import { mapCutoff } from './mean-average-precision.js'

/** A clip with its score. */
export interface ScoredClip {
  readonly clip: number
  readonly score: number
}

/**
 * Collects the best clips of many identities, from scores that arrive block by block. Keeps at most a few hundred
 * candidates per identity, for any number of clips. The score of a clip is the score of its best track. Ties are
 * ordered by clip name, so that the result does not depend on the order of the clips. NaN scores are ignored.
 *
 * Candidates are stored in `#room` places per identity. A clip may appear several times until they are full.
 */
export class TopClips {
  readonly #clips: Int32Array
  readonly #scores: Float32Array
  readonly #count: Int32Array
  /** Lower scores can no longer be among the best. */
  readonly #floor: Float32Array
  /** The place of each clip while duplicates are removed. Not cleared, because a stale place contains another clip. */
  readonly #placeOf: Int32Array
  /** Scores of one identity while they are sorted. */
  readonly #sorting: Float32Array
  readonly #clipNames: readonly string[]
  readonly #keep: number
  readonly #room: number

  /** @param clipNames names of all clips, by number */
  constructor(identities: number, clipNames: readonly string[], keep = mapCutoff) {
    this.#keep = keep
    this.#room = 4 * keep
    this.#clips = new Int32Array(identities * this.#room)
    this.#scores = new Float32Array(identities * this.#room)
    this.#count = new Int32Array(identities)
    this.#floor = new Float32Array(identities).fill(-Infinity)
    this.#placeOf = new Int32Array(clipNames.length)
    this.#sorting = new Float32Array(this.#room)
    this.#clipNames = clipNames
  }

  add(identity: number, clip: number, score: number): void {
    if (score >= (this.#floor[identity] ?? Infinity)) this.#put(identity, clip, score)
  }

  /**
   * Adds scores [identities, columns] of one row-major block. `clipOf(column)` is the clip of a column, negative if
   * it must not be ranked. Called only for columns that may be among the best.
   */
  addBlock(scores: Float32Array, columns: number, clipOf: (column: number) => number): void {
    const floors = this.#floor
    for (let identity = 0; identity < floors.length; identity++) {
      const from = identity * columns
      // A local variable for speed: 850 million scores are compared with it for the test half of iQIYI-VID.
      let floor = floors[identity] ?? Infinity
      for (let at = from; at < from + columns; at++) {
        const score = scores[at] ?? Number.NaN
        if (score >= floor) {
          const clip = clipOf(at - from)
          if (clip >= 0) floor = this.#put(identity, clip, score)
        }
      }
    }
  }

  /**
   * Like `addBlock`, for scores [rows, identities], as computed by a head. `clipOf(row)` is the clip of a row,
   * negative if it must not be ranked.
   */
  addRows(scores: Float32Array, clipOf: (row: number) => number): void {
    const floors = this.#floor
    const identities = floors.length
    for (let row = 0; row * identities < scores.length; row++) {
      const clip = clipOf(row)
      if (clip < 0) continue
      const from = row * identities
      for (let identity = 0; identity < identities; identity++) {
        const score = scores[from + identity] ?? Number.NaN
        if (score >= (floors[identity] ?? Infinity)) this.#put(identity, clip, score)
      }
    }
  }

  /** Adds a score at or above the floor. Returns the new floor. */
  #put(identity: number, clip: number, score: number): number {
    const count = this.#count[identity] ?? 0
    const at = identity * this.#room + count
    this.#clips[at] = clip
    this.#scores[at] = score
    this.#count[identity] = count + 1
    if (count + 1 === this.#room) this.#prune(identity)
    return this.#floor[identity] ?? Infinity
  }

  /** Keeps only the best candidates of an identity, each clip once, in no particular order. */
  #prune(identity: number): void {
    const from = identity * this.#room
    const distinct = this.#makeDistinct(identity)
    this.#count[identity] = Math.min(distinct, this.#keep)
    if (distinct < this.#keep) return
    const [clips, scores] = [this.#clips, this.#scores]
    for (let k = 0; k < distinct; k++) this.#sorting[k] = scores[from + k] ?? 0
    const last = this.#sorting.subarray(0, distinct).sort()[distinct - this.#keep] ?? -Infinity
    this.#floor[identity] = last
    const tied: number[] = []
    let next = from
    for (let at = from; at < from + distinct; at++) {
      const score = scores[at] ?? 0
      if (score === last) tied.push(clips[at] ?? 0)
      else if (score > last) {
        clips[next] = clips[at] ?? 0
        scores[next++] = score
      }
    }
    const room = from + this.#keep - next
    if (tied.length > room) tied.sort((a, b) => this.#byName(a, b))
    for (const clip of tied.slice(0, room)) {
      clips[next] = clip
      scores[next++] = last
    }
  }

  /** Keeps only the best score of each clip. Returns the number of clips. */
  #makeDistinct(identity: number): number {
    const [clips, scores, placeOf] = [this.#clips, this.#scores, this.#placeOf]
    const from = identity * this.#room
    const end = from + (this.#count[identity] ?? 0)
    let next = from
    for (let at = from; at < end; at++) {
      const clip = clips[at] ?? 0
      const score = scores[at] ?? 0
      const place = placeOf[clip] ?? 0
      if (place >= from && place < next && clips[place] === clip) {
        if (score > (scores[place] ?? 0)) scores[place] = score
        continue
      }
      placeOf[clip] = next
      clips[next] = clip
      scores[next++] = score
    }
    return next - from
  }

  #byName(a: number, b: number): number {
    const [nameA, nameB] = [this.#clipNames[a] ?? '', this.#clipNames[b] ?? '']
    return nameA < nameB ? -1 : nameA > nameB ? 1 : a - b
  }

  /** Clips of an identity with their scores, best first. */
  ranked(identity: number): ScoredClip[] {
    if ((this.#count[identity] ?? 0) === 0) return []
    this.#prune(identity)
    const from = identity * this.#room
    return Array.from({ length: this.#count[identity] ?? 0 }, (_, k) => ({
      clip: this.#clips[from + k] ?? 0,
      score: this.#scores[from + k] ?? 0,
    })).sort((a, b) => b.score - a.score || this.#byName(a.clip, b.clip))
  }
}
