/**
 * Two codes of a vector, both made of its products with random directions: rows of a Hadamard matrix with randomly
 * flipped columns, as good as random ones and fast.
 *
 * The sign code has a bit for each product. Signs agree more often the smaller the angle between two vectors is
 * (Charikar 2002), but signs of small products say little, so a query is compared in those places only where its own
 * products are largest, and the largest of these count twice. With cosine c to the query, the expected share of agreeing
 * signs is Φ(c·|q|/√(1−c²)) for a product q of the query, and such products are normally distributed: in 192 of 512
 * places, 64 of which count twice, two vectors with cosine .35 are expected 5.7 deviations from unrelated ones, further
 * than in all 512 alike (5.2).
 *
 * The byte code has the products themselves in steps of a 21st of their deviation, so that inner products of byte codes
 * order vectors nearly as those of the vectors do.
 */
export interface Coder {
  /** Bits of a sign code, bytes of a byte code. */
  readonly bits: number
  /** Products of a unit vector with the directions [bits], deviation 1; the array is reused by the next call. */
  products(vector: Float32Array | Float64Array): Float64Array
}

/** Of the compared places, in this order: those where the query's products are largest, half of each sign, and the next. */
export const placeParts = [
  { count: 32, sign: 1, weight: 2 },
  { count: 32, sign: -1, weight: 2 },
  { count: 64, sign: 1, weight: 1 },
  { count: 64, sign: -1, weight: 1 },
] as const
export const comparedPlaces = placeParts.reduce((sum, { count }) => sum + count, 0)
/** What a vector scores that agrees in all of them. */
export const highestAgreement = placeParts.reduce((sum, { count, weight }) => sum + count * weight, 0)

const leastBits = 512

export function createCoder(dimension: number): Coder {
  const bits = Math.max(leastBits, 2 ** Math.ceil(Math.log2(dimension)))
  // Repeated with other flips, a short vector has as many different directions.
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

/** The places in which a query with these products is compared; see `placeParts`. Those of a part are in ascending order. */
export function comparedPlacesOf(products: Float64Array): Uint32Array {
  const sorted = products.toSorted()
  const places = new Uint32Array(comparedPlaces)
  const before = { '1': 0, '-1': 0 }
  let at = 0
  for (const { count, sign } of placeParts) {
    // Between the part before and the next: sizes of products with this sign.
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

/** Beyond six deviations products are cut off. */
const byteSteps = 127 / 6

/** Writes the byte code of a vector with these products: rounded, and shifted so that no byte is negative. */
export function writeBytes(products: Float64Array, target: Uint8ClampedArray, at: number): void {
  for (let i = 0; i < products.length; i++) target[at + i] = 128 + byteSteps * (products[i] ?? 0)
}

const querySteps = 64

/** A query's products, to be multiplied with byte codes. */
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

/** Fast Walsh–Hadamard transform in place, not normalised; the length is a power of two. Two steps at a time are quicker. */
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
