import type { Neighbor } from '../../index/vectors/vector-index.js'

/** Uniform in [0, 1), the same for a seed everywhere (Mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Unit vectors with directions that are uniform on the sphere. */
export function createDirections(dimension: number, seed: number): () => Float32Array {
  const random = createRandom(seed)
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  return () => unit(Float32Array.from({ length: dimension }, normal))
}

export function unit(vector: Float32Array): Float32Array {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
  return vector.map((value) => value / length)
}

/** A unit vector with about the given cosine to `centre`. */
export function near(centre: Float32Array, cosine: number, noise: Float32Array): Float32Array {
  const away = Math.sqrt(1 - cosine * cosine)
  return unit(centre.map((value, i) => cosine * value + away * (noise[i] ?? 0)))
}

/** Every similarity by its definition, in float64, sorted: the oracle. */
export function naiveSearch(
  vectors: ReadonlyMap<number, Float32Array>,
  query: Float32Array,
  k: number,
): Neighbor[] {
  return [...vectors]
    .map(([label, vector]) => ({
      label,
      cosineSimilarity: vector.reduce((sum, value, i) => sum + value * (query[i] ?? 0), 0),
    }))
    .sort((a, b) => b.cosineSimilarity - a.cosineSimilarity || a.label - b.label)
    .slice(0, k)
}

export const labelsOf = (neighbors: readonly Neighbor[]): number[] => neighbors.map(({ label }) => label)
