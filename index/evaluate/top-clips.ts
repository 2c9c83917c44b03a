import { mapCutoff } from './map.js'

/** A clip with its score. */
export interface ScoredClip {
  readonly clip: number
  readonly score: number
}

/**
 * The best clips of many identities, while scores come in block by block: at most a few hundred candidates an identity are
 * kept, whatever the number of clips. A clip's score is that of its best track. Ties go by the clip's name, so that a result
 * does not depend on the order of the clips. Scores that are no number are passed over.
 *
 * Candidates lie in columns of `#room` places an identity; a clip may be among them several times until they are full.
 */
export class TopClips {
  readonly #clips: Int32Array
  readonly #scores: Float32Array
  readonly #count: Int32Array
  /** A score below it cannot be among the best any more. */
  readonly #floor: Float32Array
  /** Where a clip was put while candidates were made distinct. Not cleared: a wrong place holds another clip. */
  readonly #placeOf: Int32Array
  readonly #clipNames: readonly string[]
  readonly #keep: number
  readonly #room: number

  /** @param clipNames of all clips, by their numbers */
  constructor(identities: number, clipNames: readonly string[], keep = mapCutoff) {
    this.#keep = keep
    this.#room = 4 * keep
    this.#clips = new Int32Array(identities * this.#room)
    this.#scores = new Float32Array(identities * this.#room)
    this.#count = new Int32Array(identities)
    this.#floor = new Float32Array(identities).fill(-Infinity)
    this.#placeOf = new Int32Array(clipNames.length)
    this.#clipNames = clipNames
  }

  add(identity: number, clip: number, score: number): void {
    if (score >= (this.#floor[identity] ?? Infinity)) this.#put(identity, clip, score)
  }

  /**
   * Scores [identities, columns] of one row-major block; `clipOf(column)` is the clip of a column, negative for one that
   * may not be ranked. It is asked for columns that may be among the best only.
   */
  addBlock(scores: Float32Array, columns: number, clipOf: (column: number) => number): void {
    const floors = this.#floor
    for (let identity = 0; identity < floors.length; identity++) {
      const from = identity * columns
      // In a variable of its own: 850 million scores are compared with it for the test half of iQIYI-VID.
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

  /** Takes a score at or above the floor; gives the floor that then holds. */
  #put(identity: number, clip: number, score: number): number {
    const count = this.#count[identity] ?? 0
    const at = identity * this.#room + count
    this.#clips[at] = clip
    this.#scores[at] = score
    this.#count[identity] = count + 1
    if (count + 1 === this.#room) this.#prune(identity)
    return this.#floor[identity] ?? Infinity
  }

  /** Leaves the best candidates of an identity, each clip once, in no order. */
  #prune(identity: number): void {
    const from = identity * this.#room
    const distinct = this.#makeDistinct(identity)
    this.#count[identity] = Math.min(distinct, this.#keep)
    if (distinct < this.#keep) return
    const clips = this.#clips.subarray(from, from + distinct)
    const scores = this.#scores.subarray(from, from + distinct)
    const last = scores.slice().sort().at(-this.#keep) ?? -Infinity
    this.#floor[identity] = last
    const tied: number[] = []
    let kept = 0
    for (let at = 0; at < distinct; at++) {
      const [clip, score] = [clips[at] ?? 0, scores[at] ?? 0]
      if (score < last) continue
      if (score === last) {
        tied.push(clip)
        continue
      }
      clips[kept] = clip
      scores[kept++] = score
    }
    if (tied.length > this.#keep - kept) tied.sort((a, b) => this.#byName(a, b))
    for (const clip of tied.slice(0, this.#keep - kept)) {
      clips[kept] = clip
      scores[kept++] = last
    }
  }

  /** Leaves the best score of each clip; gives the number of clips. */
  #makeDistinct(identity: number): number {
    const from = identity * this.#room
    const end = from + (this.#count[identity] ?? 0)
    let next = from
    for (let at = from; at < end; at++) {
      const [clip, score] = [this.#clips[at] ?? 0, this.#scores[at] ?? 0]
      const place = this.#placeOf[clip] ?? 0
      if (place >= from && place < next && this.#clips[place] === clip) {
        if (score > (this.#scores[place] ?? 0)) this.#scores[place] = score
        continue
      }
      this.#placeOf[clip] = next
      this.#clips[next] = clip
      this.#scores[next++] = score
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
