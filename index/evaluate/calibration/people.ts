import { seededRandom, shuffled } from '../../../pipeline/common/seeded-random.js'

/**
 * Splits the people into two halves, as counts by number (see `rateCurve`). People with many and with few samples are
 * balanced: people are sorted by their number of samples, and each pair of neighbours is split at random.
 * @param samples number of samples per person
 */
export function halvesOf(samples: readonly number[], seed: number): [Float64Array, Float64Array] {
  const random = seededRandom(seed)
  const mixed = Array.from(shuffled(samples.length, random))
  const order = mixed.sort((a, b) => (samples[b] ?? 0) - (samples[a] ?? 0))
  const halves: [Float64Array, Float64Array] = [
    new Float64Array(samples.length),
    new Float64Array(samples.length),
  ]
  for (let i = 0; i < order.length; i += 2) {
    const [first, second] = random() < 0.5 ? halves : [halves[1], halves[0]]
    const [one, other] = [order[i], order[i + 1]]
    if (one !== undefined) first[one] = 1
    if (other !== undefined) second[other] = 1
  }
  return halves
}

/** Draws the same number of people with replacement, as counts by number. */
export function resampledPeople(count: number, random: () => number): Float64Array {
  const counts = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    const person = Math.floor(random() * count)
    counts[person] = (counts[person] ?? 0) + 1
  }
  return counts
}
