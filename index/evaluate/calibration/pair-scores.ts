import { dotProduct } from '../../../pipeline/data/vector-math.js'

/** A photo or a track of a known person. */
export interface LabelledSample {
  readonly person: string
  /** Quality of the best face, 0..1. */
  readonly quality: number
  /** L2-normalised. */
  readonly descriptor: Float32Array
  /** Its sources. Samples with a common source are not compared. */
  readonly sources: readonly string[]
}

/** Scores of pairs, one array per column. */
export interface PairScores {
  /** Cosine similarity. */
  readonly scores: Float32Array
  /** The lower quality of the two samples. */
  readonly qualities: Float32Array
  /** Numbers of the two people. */
  readonly a: Int32Array
  readonly b: Int32Array
  /**
   * 1 / (samples of a × samples of b), so that every pair of people has the same weight. Without it, the few people
   * with many photos would dominate, and false-accept rates would be twice as high.
   */
  readonly weights: Float32Array
}

export interface ComparedPairs {
  readonly mated: PairScores
  readonly nonMated: PairScores
}

/**
 * Compares every probe with every sample of the gallery. If both are the same list, compares each pair once.
 * @param people all people. Their positions are their numbers.
 */
export function comparePairs(
  probes: readonly LabelledSample[],
  gallery: readonly LabelledSample[],
  people: readonly string[],
): ComparedPairs {
  const numbers = new Map(people.map((person, number) => [person, number]))
  const numberOf = ({ person }: LabelledSample) => numbers.get(person) ?? -1
  const [ofProbes, ofGallery] = [countOf(probes), countOf(gallery)]
  const most = probes === gallery ? (probes.length * (probes.length - 1)) / 2 : probes.length * gallery.length
  const [mated, nonMated] = [new PairColumns(most), new PairColumns(most)]
  for (const [i, probe] of probes.entries())
    for (const sample of probes === gallery ? gallery.slice(0, i) : gallery) {
      const isMated = probe.person === sample.person
      if (isMated && probe.sources.some((source) => sample.sources.includes(source))) continue
      const samples = (ofProbes.get(probe.person) ?? 1) * (ofGallery.get(sample.person) ?? 1)
      ;(isMated ? mated : nonMated).add({
        score: dotProduct(probe.descriptor, sample.descriptor),
        quality: Math.min(probe.quality, sample.quality),
        ...{ a: numberOf(probe), b: numberOf(sample), weight: 1 / samples },
      })
    }
  return { mated: mated.pairs(), nonMated: nonMated.pairs() }
}

function countOf(samples: readonly LabelledSample[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { person } of samples) counts.set(person, (counts.get(person) ?? 0) + 1)
  return counts
}

class PairColumns {
  #count = 0
  readonly #scores: Float32Array
  readonly #qualities: Float32Array
  readonly #a: Int32Array
  readonly #b: Int32Array
  readonly #weights: Float32Array

  constructor(most: number) {
    this.#scores = new Float32Array(most)
    this.#qualities = new Float32Array(most)
    this.#a = new Int32Array(most)
    this.#b = new Int32Array(most)
    this.#weights = new Float32Array(most)
  }

  add(pair: { score: number; quality: number; a: number; b: number; weight: number }): void {
    const at = this.#count++
    this.#scores[at] = pair.score
    this.#qualities[at] = pair.quality
    this.#a[at] = pair.a
    this.#b[at] = pair.b
    this.#weights[at] = pair.weight
  }

  pairs(): PairScores {
    const count = this.#count
    return {
      scores: this.#scores.subarray(0, count),
      qualities: this.#qualities.subarray(0, count),
      a: this.#a.subarray(0, count),
      b: this.#b.subarray(0, count),
      weights: this.#weights.subarray(0, count),
    }
  }
}
