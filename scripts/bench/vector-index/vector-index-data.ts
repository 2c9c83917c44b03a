export interface SyntheticDescriptors {
  /** [count, dimension], in random order of identities. */
  readonly vectors: Float32Array
  readonly identityOf: Uint32Array
  readonly sizes: readonly number[]
  /** One per identity, of randomly drawn identities; not among the vectors. */
  readonly queries: readonly { readonly vector: Float32Array; readonly identity: number }[]
}

/**
 * Identities of 1 to 500 tracks. Their sizes s are drawn with probability ~ s^-1.75 (half of them single,
 * some near 500). Centres are uniform on the sphere, so cosines of different people are 0 ± 0.044. Each
 * identity's tracks scatter around its centre. Two of them have a mean cosine that is drawn evenly from .3 to
 * .8.
 */
export function synthesiseDescriptors(
  count: number,
  dimension: number,
  queryCount: number,
): SyntheticDescriptors {
  const random = createRandom(20_240_501)
  const normal = createNormal(random)
  const direction = (): Float32Array => normalised(Float32Array.from({ length: dimension }, normal))

  const weights = Array.from({ length: 500 }, (_, i) => (i + 1) ** -1.75)
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const drawSize = (): number => {
    let rest = random() * total
    const index = weights.findIndex((weight) => (rest -= weight) <= 0)
    return index < 0 ? 500 : index + 1
  }
  const sizes: number[] = []
  for (let drawn = 0; drawn < count;) {
    const size = Math.min(drawSize(), count - drawn)
    sizes.push(size)
    drawn += size
  }
  const centres = sizes.map(direction)
  const matedCosines = sizes.map(() => 0.3 + 0.5 * random())
  const trackOf = (identity: number): Float32Array => {
    const towards = Math.sqrt(matedCosines[identity] ?? 0)
    const away = Math.sqrt(1 - towards ** 2)
    const noise = direction()
    const centre = centres[identity] ?? noise
    return normalised(noise.map((value, i) => towards * (centre[i] ?? 0) + away * value))
  }

  const identityOf = Uint32Array.from(sizes.flatMap((size, identity) => Array<number>(size).fill(identity)))
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const swapped = identityOf[i] ?? 0
    identityOf[i] = identityOf[j] ?? 0
    identityOf[j] = swapped
  }
  const vectors = new Float32Array(count * dimension)
  for (const [i, identity] of identityOf.entries()) vectors.set(trackOf(identity), i * dimension)
  const queries = Array.from({ length: queryCount }, () => {
    const identity = Math.floor(random() * sizes.length)
    return { vector: trackOf(identity), identity }
  })
  return { vectors, identityOf, sizes, queries }
}

/** Mulberry32: uniform in [0, 1). */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Standard normal, Box–Muller. */
function createNormal(random: () => number): () => number {
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

function normalised(vector: Float32Array): Float32Array {
  const scale = 1 / Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
  return vector.map((value) => value * scale)
}
