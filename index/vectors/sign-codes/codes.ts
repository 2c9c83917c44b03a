/**
 * Two codes of a vector, both computed from its products with random directions. The directions are rows of a
 * Hadamard matrix with randomly flipped columns, which are as good as random ones and fast.
 *
 * The sign code has one bit per product. The smaller the angle between two vectors, the more signs agree (Charikar
 * 2002). Signs of small products carry little information, so a query is compared only in the places where its own
 * products are largest, and the largest of these count twice. With cosine c to the query, the expected share of
 * agreeing signs is Φ(c·|q|/√(1−c²)) for a product q of the query. Such products are normally distributed. In 192 of
 * 512 places, 64 of which count twice, two vectors with cosine .35 are expected 5.7 deviations from unrelated ones.
 * In all 512 places with equal weight it would be 5.2.
 *
 * The byte code contains the products themselves, in steps of 1/21 of their deviation. Inner products of byte codes
 * order vectors almost like inner products of the vectors.
 */
export interface Coder {
  /** Bits of a sign code, bytes of a byte code. */
  readonly bits: number
  /** Products of a unit vector with the directions, [bits], deviation 1. The next call reuses the array. */
  products(vector: Float32Array | Float64Array): Float64Array
}

/**
 * The compared places, in this order: the ones where the query's products are largest, half of them for each sign,
 * then the next largest.
 */
export const placeParts = [
  { count: 32, sign: 1, weight: 2 },
  { count: 32, sign: -1, weight: 2 },
  { count: 64, sign: 1, weight: 1 },
  { count: 64, sign: -1, weight: 1 },
] as const
export const comparedPlaces = placeParts.reduce((sum, { count }) => sum + count, 0)
/** The score of a vector that agrees in all of them. */
export const highestAgreement = placeParts.reduce((sum, { count, weight }) => sum + count * weight, 0)

const leastBits = 512

export function createCoder(dimension: number): Coder {
  const bits = Math.max(leastBits, 2 ** Math.ceil(Math.log2(dimension)))
  // A short vector is repeated with different flips, so that it has the same number of directions.
  const copies = Math.floor(bits / dimension)
  const flips = randomSigns(copies * dimension).map((sign) => sign / Math.sqrt(copies))
  const values = new Float64Array(bits)
  return {
    bits,
    products(vector) {
      values.fill(0)
      for (let copy = 0, at = 0; copy < copies; copy++)
        for (let i = 0; i < dimension; i++, at++) values[at] = (vector[i] ?? 0) * (flips[at] ?? 1)
      hadamard(values)
      return values
    },
  }
}

/**
 * The places in which a query with these products is compared; see `placeParts`. In ascending order within each part.
 */
export function comparedPlacesOf(products: Float64Array): Uint32Array {
  const sorted = products.toSorted()
  const places = new Uint32Array(comparedPlaces)
  const before = { '1': 0, '-1': 0 }
  let at = 0
  for (const { count, sign } of placeParts) {
    // The sizes of the products of this part: below those of the previous part, down to the smallest of this one.
    const sizeAt = (rank: number): number =>
      rank < 0 ? Infinity : sign * ((sign < 0 ? sorted[rank] : sorted[sorted.length - 1 - rank]) ?? 0)
    const [above, least] = [sizeAt(before[sign] - 1), sizeAt(before[sign] + count - 1)]
    before[sign] += count
    const end = at + count
    for (let place = 0; place < products.length && at < end; place++) {
      const size = sign * (products[place] ?? 0)
      if (size >= least && size < above) places[at++] = place
    }
    at = end
  }
  return places
}

/** Products are clipped at six deviations. */
const byteSteps = 127 / 6

/** Writes the byte code of a vector with these products: rounded, and shifted so that no byte is negative. */
export function writeBytes(products: Float64Array, target: Uint8ClampedArray, at: number): void {
  for (let i = 0; i < products.length; i++) target[at + i] = 128 + byteSteps * (products[i] ?? 0)
}

const querySteps = 64

/** A query's products as integers, for multiplication with byte codes. */
export function wordsOf(products: Float64Array): Int16Array {
  const words = new Int16Array(products.length)
  for (let i = 0; i < products.length; i++) words[i] = Math.round((products[i] ?? 0) * querySteps)
  return words
}

/** +1 or −1, the same in every process: a xorshift generator with a fixed seed. */
function randomSigns(count: number): Float64Array {
  let state = 0x9e3779b9
  return new Float64Array(count).map(() => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state < 0 ? -1 : 1
  })
}

/**
 * Fast Walsh–Hadamard transform in place, not normalised. The length is a power of two. Two steps at a time are
 * faster.
 */
function hadamard(values: Float64Array): void {
  const { length } = values
  let half = 1
  for (; 4 * half <= length; half *= 4)
    for (let start = 0; start < length; start += 4 * half)
      for (let i = start; i < start + half; i++) {
        const j = i + half
        const k = j + half
        const l = k + half
        const sum = (values[i] ?? 0) + (values[j] ?? 0)
        const difference = (values[i] ?? 0) - (values[j] ?? 0)
        const sum2 = (values[k] ?? 0) + (values[l] ?? 0)
        const difference2 = (values[k] ?? 0) - (values[l] ?? 0)
        values[i] = sum + sum2
        values[j] = difference + difference2
        values[k] = sum - sum2
        values[l] = difference - difference2
      }
  if (half === length) return
  for (let i = 0; i < half; i++) {
    const a = values[i] ?? 0
    const b = values[i + half] ?? 0
    values[i] = a + b
    values[i + half] = a - b
  }
}
