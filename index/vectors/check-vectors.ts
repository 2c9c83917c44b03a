import { CameoError } from '../../pipeline/common/errors.js'
import type { LabelledVector } from './vector-index.js'

/** float32 rounding of 512 to 2,048 values changes the squared length of a unit vector by less than this. */
const unitTolerance = 1e-3

/** Checks that every vector of a batch can be added; see `VectorIndex.add`. @throws VECTOR_INVALID, INDEX_TOO_LARGE */
export function checkBatch(
  vectors: readonly LabelledVector[],
  dimension: number,
  isKnown: (label: number) => boolean,
): void {
  const labels = new Set<number>()
  for (const { label, vector } of vectors) {
    checkLabel(label)
    checkUnitVector(vector, dimension, `the vector of label ${label}`)
    if (labels.has(label) || isKnown(label)) throw labelIsKnown(label)
    labels.add(label)
  }
}

export const labelIsKnown = (label: number) =>
  new CameoError('VECTOR_INVALID', `label ${label} is already in the index: labels are never reused`)

/**
 * Checks that `vector` has `dimension` finite values and length 1. `name` is used in the message.
 * @throws VECTOR_INVALID
 */
export function checkUnitVector(vector: Float32Array, dimension: number, name: string): void {
  const length2 = squaredLength(vector, dimension, name)
  if (Math.abs(length2 - 1) > unitTolerance)
    throw new CameoError(
      'VECTOR_INVALID',
      `${name} has length ${Math.sqrt(length2).toFixed(4)}, not 1: normalise it first`,
    )
}

/**
 * Writes the query, scaled to length 1, to `target` (`dimension` values, reused between searches).
 * @throws VECTOR_INVALID
 */
export function normaliseQuery(query: Float32Array, target: number[] | Float64Array): void {
  const length2 = squaredLength(query, target.length, 'the query vector')
  if (length2 === 0)
    throw new CameoError('VECTOR_INVALID', 'the query vector is zero: it has no direction to search in')
  const scale = 1 / Math.sqrt(length2)
  for (let i = 0; i < target.length; i++) target[i] = (query[i] ?? 0) * scale
}

function squaredLength(vector: Float32Array, dimension: number, name: string): number {
  if (vector.length !== dimension)
    throw new CameoError(
      'VECTOR_INVALID',
      `${name} has ${vector.length} dimensions, but this index needs ${dimension}`,
    )
  let length2 = 0
  for (const value of vector) length2 += value * value
  // Any NaN or infinity makes the sum not finite.
  if (!Number.isFinite(length2))
    throw new CameoError('VECTOR_INVALID', `${name} contains a value that is not a finite number`)
  return length2
}

/** Labels are uint32 in hnswlib, so Cameo uses uint32 everywhere. @throws INDEX_TOO_LARGE */
function checkLabel(label: number): void {
  if (!Number.isInteger(label) || label < 0 || label > 0xffff_ffff)
    throw new CameoError('INDEX_TOO_LARGE', `label ${label} is not an unsigned 32-bit number`)
}
