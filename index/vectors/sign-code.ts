/**
 * Sign codes: the signs of a vector's products with random directions, which agree more often the smaller the angle
 * between two vectors is (Charikar 2002). Signs of small products say little, so a query is compared in those places
 * only where its own products are largest. With cosine c to the query, the expected share of agreeing signs is
 * Φ(c·|q|/√(1−c²)) for a product q of the query, which is normally distributed: in the 128 of 512 places with the
 * largest products, two vectors with cosine .35 are expected 5.2 deviations from unrelated ones, as far as by all 512.
 * The directions are the rows of a Hadamard matrix with randomly flipped columns: as good as random ones and fast. The
 * signs of the values themselves would not do where a head's values are mostly of one sign.
 */
export interface SignCoder {
  /** Places of a code. */
  readonly bits: number
  /** Products of `vector` with the directions [bits]; the array is reused by the next call. */
  products(vector: Float32Array | Float64Array): Float64Array
}

export const comparedPlaces = 128

const leastBits = 512

export function createSignCoder(dimension: number): SignCoder {
  const bits = Math.max(leastBits, 2 ** Math.ceil(Math.log2(dimension)))
  // Repeated with other flips, a short vector has as many different directions.
  const copies = Math.floor(bits / dimension)
  const flips = randomSigns(copies * dimension)
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

/** The places of a query's largest products: first half those of positive ones, then of negative ones, ascending. */
export function comparedPlacesOf(products: Float64Array): Uint32Array {
  const half = comparedPlaces / 2
  const sorted = products.toSorted()
  const [highestNegative, lowestPositive] = [sorted[half - 1] ?? 0, sorted[sorted.length - half] ?? 0]
  const places = new Uint32Array(comparedPlaces)
  let [positive, negative] = [0, half]
  for (let place = 0; place < products.length; place++) {
    const product = products[place] ?? 0
    if (product >= lowestPositive && positive < half) places[positive++] = place
    else if (product <= highestNegative && negative < comparedPlaces) places[negative++] = place
  }
  return places
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

/** Fast Walsh–Hadamard transform in place, not normalised; the length is a power of two. */
function hadamard(values: Float64Array): void {
  for (let half = 1; half < values.length; half *= 2)
    for (let start = 0; start < values.length; start += 2 * half)
      for (let i = start; i < start + half; i++) {
        const a = values[i] ?? 0
        const b = values[i + half] ?? 0
        values[i] = a + b
        values[i + half] = a - b
      }
}
