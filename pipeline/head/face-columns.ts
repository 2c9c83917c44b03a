import { addFloat16 } from '../embed/float16.js'

/** Faces of many tracks, in columns. */
export interface FaceColumns {
  /** Values of one embedding. */
  readonly dimension: number
  /** Faces of track t are firstFace[t] .. firstFace[t + 1] − 1. */
  readonly firstFace: Int32Array
  /** Float16 bits, [faces, dimension] row-major, not normalised. */
  readonly embeddings: Uint16Array
  /** 0..1, [faces]. */
  readonly qualities: Float32Array
}

/** `quality`: as the describe stage pools; `equal`: the clip centre of the ArcFace paper. */
export type Pooling = 'quality' | 'equal'

/** As in `poolEmbeddings`: faces of quality 0 count a little. */
const minWeight = 0.01

/**
 * Pools chosen faces of a track into `target` from `offset` on: the L2-normalised weighted sum of L2-normalised embeddings,
 * as `poolEmbeddings` gives it. Zeros where there is no face.
 */
export function poolFaces(
  columns: FaceColumns,
  faces: Iterable<number>,
  pooling: Pooling,
  target: Float32Array,
  offset = 0,
): void {
  const { dimension, embeddings, qualities } = columns
  target.fill(0, offset, offset + dimension)
  for (const face of faces) {
    const weight = pooling === 'equal' ? 1 : Math.max(qualities[face] ?? 0, minWeight)
    addFloat16(embeddings, face * dimension, dimension, weight, target, offset)
  }
  normaliseAt(target, offset, dimension)
}

/** All tracks pooled: [tracks, dimension], each of length 1. */
export function poolTracks(columns: FaceColumns, pooling: Pooling): Float32Array {
  const tracks = columns.firstFace.length - 1
  const pooled = new Float32Array(tracks * columns.dimension)
  for (let track = 0; track < tracks; track++)
    poolFaces(columns, facesOf(columns, track), pooling, pooled, track * columns.dimension)
  return pooled
}

export function facesOf({ firstFace }: FaceColumns, track: number): number[] {
  const first = firstFace[track] ?? 0
  return Array.from({ length: (firstFace[track + 1] ?? first) - first }, (_, k) => first + k)
}

/** Divides `length` values from `offset` on by their L2 norm; zeros stay. */
export function normaliseAt(values: Float32Array, offset: number, length: number): void {
  let squares = 0
  for (let i = offset; i < offset + length; i++) squares += (values[i] ?? 0) ** 2
  if (squares === 0) return
  const factor = 1 / Math.sqrt(squares)
  for (let i = offset; i < offset + length; i++) values[i] = (values[i] ?? 0) * factor
}
