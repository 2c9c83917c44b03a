import { mapCutoff } from './mean-average-precision.js'

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
  /** Scores of one identity while they are sorted. */
  readonly #sorting: Float32Array
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
    this.#sorting = new Float32Array(this.#room)
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

  /**
   * As `addBlock`, of scores [rows, identities], as a head gives them; `clipOf(row)` is the clip of a row, negative for one
   * that may not be ranked.
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

  /** Leaves the best score of each clip; gives the number of clips. */
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
