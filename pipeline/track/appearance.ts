/** What a face looks like from one sampled frame to the next: small grey patches and their correlation. */

/** A patch is 16×16 grey values, rows top to bottom. */
export const patchLength = 256

/**
 * A patch with a lower standard deviation (of 0..255 grey) is flat: blurred, black or overexposed. It says nothing
 * about the face.
 */
const flatPatchDeviation = 2

/**
 * A patch with mean 0 and Euclidean norm 1, so that a dot product is the normalised cross-correlation. Neither
 * brightness nor contrast changes it. `undefined` for a flat patch.
 *
 * @param grey 256 values in 0..255 (Uint8Array or Float32Array)
 * @throws RangeError for another length
 */
export function normalisePatch(grey: Uint8Array | Float32Array): Float32Array | undefined {
  if (grey.length !== patchLength) {
    throw new RangeError(`an appearance patch has ${patchLength} grey values, not ${grey.length}`)
  }
  let sum = 0
  for (const value of grey) sum += value
  const mean = sum / patchLength
  let squares = 0
  for (const value of grey) squares += (value - mean) ** 2
  if (!(squares > patchLength * flatPatchDeviation ** 2)) return undefined
  const norm = Math.sqrt(squares)
  const patch = new Float32Array(patchLength)
  for (let i = 0; i < patchLength; i++) patch[i] = ((grey[i] ?? 0) - mean) / norm
  return patch
}

/** Dot product of two vectors of the same length. For normalised patches it is their correlation, −1..1. */
export function correlation(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0)
  return sum
}

/** What a track remembers of a face's looks: the last patch, and a running mean that survives one bad frame. */
export interface Looks {
  readonly last: Float32Array
  readonly mean: Float32Array
}

/**
 * Share of the newest patch in the running mean. DeepSORT and BoT-SORT use a share of 0.1 per frame at 25–30 fps. At 4
 * fps, the same second of memory needs about half.
 */
const newestShare = 0.5

export function rememberLooks(looks: Looks | undefined, patch: Float32Array | undefined): Looks | undefined {
  if (patch === undefined || looks === undefined) {
    return patch === undefined ? looks : { last: patch, mean: patch }
  }
  const mean = new Float32Array(patch.length)
  for (let i = 0; i < mean.length; i++) {
    mean[i] = (looks.mean[i] ?? 0) * (1 - newestShare) + (patch[i] ?? 0) * newestShare
  }
  const norm = Math.sqrt(correlation(mean, mean))
  if (!(norm > 0)) return { last: patch, mean: patch }
  for (let i = 0; i < mean.length; i++) mean[i] = (mean[i] ?? 0) / norm
  return { last: patch, mean }
}

/** How much a patch looks like the track, −1..1: the better of its last patch and its running mean. */
export function likeness(looks: Looks, patch: Float32Array): number {
  return Math.max(correlation(looks.last, patch), correlation(looks.mean, patch))
}
