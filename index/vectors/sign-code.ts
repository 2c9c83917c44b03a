/**
 * Sign codes: the signs of a vector's products with random directions. The share of equal signs estimates the angle
 * between two vectors: expected Hamming distance = bits·angle/π, with deviation √(bits·p·(1−p)) (Charikar 2002). With
 * 512 bits, unrelated vectors are 256 ± 11 apart and two with cosine .35 are 198 ± 11: five deviations.
 * The directions are the rows of a Hadamard matrix with randomly flipped columns: as good as random ones and fast. The
 * signs of the values themselves would not do where a head's values are mostly of one sign.
 */
export interface SignCoder {
  readonly codeBytes: number
  /** Writes the code of `vector` into `target` at byte `at`. */
  encode(vector: Float32Array | Float64Array, target: Uint8Array, at: number): void
}

/** A kernel adds up a code's differing bits in bytes: beyond this they could overflow. */
const maxBits = 2048

export function createSignCoder(dimension: number): SignCoder {
  const bits = Math.max(128, 2 ** Math.ceil(Math.log2(dimension)))
  if (bits > maxBits)
    throw new RangeError(`vectors of ${dimension} dimensions: at most ${maxBits} are supported`)
  const flips = randomSigns(dimension)
  const values = new Float64Array(bits)
  return {
    codeBytes: bits / 8,
    encode(vector, target, at) {
      values.fill(0)
      for (let i = 0; i < dimension; i++) values[i] = (vector[i] ?? 0) * (flips[i] ?? 1)
      hadamard(values)
      for (let byte = 0; byte < bits / 8; byte++) {
        let code = 0
        for (let bit = 0; bit < 8; bit++) if ((values[byte * 8 + bit] ?? 0) > 0) code |= 1 << bit
        target[at + byte] = code
      }
    },
  }
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
