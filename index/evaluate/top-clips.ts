import { mapCutoff } from './map.js'

/**
 * The best clips of many identities, while scores come in block by block: at most a few hundred candidates an identity are
 * kept, whatever the number of clips. A clip's score is that of its best track. Ties go by the clip's name, so that a result
 * does not depend on the order of the clips.
 */
export class TopClips {
  readonly #candidates: Map<number, number>[]
  /** A score below it cannot be among the best any more. */
  readonly #floor: Float32Array
  readonly #clipNames: readonly string[]
  readonly #keep: number

  constructor(identities: number, clipNames: readonly string[], keep = mapCutoff) {
    this.#candidates = Array.from({ length: identities }, () => new Map<number, number>())
    this.#floor = new Float32Array(identities).fill(-Infinity)
    this.#clipNames = clipNames
    this.#keep = keep
  }

  add(identity: number, clip: number, score: number): void {
    if (score < (this.#floor[identity] ?? 0) || Number.isNaN(score)) return
    const own = this.#candidates[identity]
    if (own === undefined) return
    const known = own.get(clip)
    if (known !== undefined && known >= score) return
    own.set(clip, score)
    if (own.size >= 4 * this.#keep) this.#prune(identity, own)
  }

  /** Scores [identities, clips of the block] of one row-major block; `clipOf(column)` is the clip of a column. */
  addBlock(scores: Float32Array, columns: number, clipOf: (column: number) => number): void {
    for (let identity = 0; identity < this.#floor.length; identity++) {
      const from = identity * columns
      for (let column = 0; column < columns; column++) {
        const score = scores[from + column] ?? -Infinity
        if (score >= (this.#floor[identity] ?? 0)) this.add(identity, clipOf(column), score)
      }
    }
  }

  #prune(identity: number, own: Map<number, number>): void {
    const kept = this.#sorted(own)
    own.clear()
    for (const [clip, score] of kept) own.set(clip, score)
    this.#floor[identity] = kept.at(-1)?.[1] ?? -Infinity
  }

  #sorted(own: ReadonlyMap<number, number>): [clip: number, score: number][] {
    const nameOf = (clip: number) => this.#clipNames[clip] ?? ''
    return [...own]
      .sort(([a, scoreA], [b, scoreB]) => scoreB - scoreA || (nameOf(a) < nameOf(b) ? -1 : 1))
      .slice(0, this.#keep)
  }

  /** Clips of an identity with their scores, best first. */
  ranked(identity: number): { readonly clip: number; readonly score: number }[] {
    return this.#sorted(this.#candidates[identity] ?? new Map<number, number>()).map(([clip, score]) => ({
      clip,
      score,
    }))
  }
}
