export function l2Norm(vector: Float32Array): number {
  let sum = 0
  for (const value of vector) sum += value * value
  return Math.sqrt(sum)
}

/** A copy of length 1; a zero vector stays zero. */
export function l2Normalise(vector: Float32Array): Float32Array {
  const norm = l2Norm(vector)
  return norm === 0 ? vector.slice() : vector.map((value) => value / norm)
}

/** Σ aᵢ·bᵢ: the cosine similarity of two L2-normalised vectors. */
export function dotProduct(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0)
  return sum
}
