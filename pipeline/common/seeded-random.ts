/** Numbers in [0, 1) from a seed (mulberry32). The same seed gives the same training, so a failure can be repeated. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** A generator for one part of a seeded task, independent of how many numbers the other parts drew. */
export function seededPart(seed: number, ...part: readonly number[]): () => number {
  let mixed = seed | 0
  // FNV-1a over the numbers.
  for (const number of part) mixed = Math.imul(mixed ^ number ^ 0x811c9dc5, 16777619)
  return seededRandom(mixed)
}

/** A sample of the normal distribution with standard deviation 1 (Box and Muller, 1958). */
export function gaussian(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** 0 .. count − 1 in a random order (Fisher and Yates). */
export function shuffled(count: number, random: () => number): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i)
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const kept = order[i] ?? 0
    order[i] = order[j] ?? 0
    order[j] = kept
  }
  return order
}
