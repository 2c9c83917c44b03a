import { addFloat16 } from '../data/float16.js'
import { inputDimension } from '../describe/pooled-input.js'

/** The embeddings of many faces by one embedder. */
export interface EmbeddingColumn {
  /** Number of values of one embedding. */
  readonly dimension: number
  /** Float16 bits, [faces, dimension] row-major, not normalised. */
  readonly embeddings: Uint16Array
  /** The same for the faces' mirror images, if they were stored. */
  readonly mirrored?: Uint16Array
}

/** Faces of many tracks, in columns. */
export interface FaceColumns {
  /** One column per embedder of a head's input, in its order; at least one. */
  readonly columns: readonly EmbeddingColumn[]
  /** Faces of track t are firstFace[t] .. firstFace[t + 1] − 1. */
  readonly firstFace: Int32Array
  /** 0..1, [faces]. */
  readonly qualities: Float32Array
}

/** `quality`: weights as in the describe stage; `equal`: the clip centre of the ArcFace paper. */
export type Pooling = 'quality' | 'equal'

/** As in `poolEmbeddings`: faces of quality 0 have a small weight. */
const minWeight = 0.01

/**
 * Pools chosen faces of a track into `target` from `offset` on, as `pooledInput` does: for each embedder, the
 * L2-normalised weighted sum of L2-normalised embeddings; the results follow one another, with a total length of 1.
 * Zeros if there are no faces.
 * @param isMirrored use the mirror images instead of the faces, if they were stored
 */
export function poolFaces(
  { columns, qualities }: FaceColumns,
  faces: readonly number[],
  pooling: Pooling,
  target: Float32Array,
  offset = 0,
  isMirrored = false,
): void {
  const share = 1 / Math.sqrt(columns.length)
  let at = offset
  for (const { dimension, embeddings, mirrored } of columns) {
    const view = isMirrored ? (mirrored ?? embeddings) : embeddings
    target.fill(0, at, at + dimension)
    for (const face of faces) {
      const weight = pooling === 'equal' ? 1 : Math.max(qualities[face] ?? 0, minWeight)
      addFloat16(view, face * dimension, dimension, weight, target, at)
    }
    normaliseAt(target, at, dimension, share)
    at += dimension
  }
}

/** All tracks pooled: [tracks, d], each of length 1. */
export function poolTracks(faces: FaceColumns, pooling: Pooling): Float32Array {
  const tracks = faces.firstFace.length - 1
  const dimension = inputDimension(faces.columns)
  const pooled = new Float32Array(tracks * dimension)
  for (let track = 0; track < tracks; track++)
    poolFaces(faces, facesOf(faces, track), pooling, pooled, track * dimension)
  return pooled
}

export function facesOf({ firstFace }: Pick<FaceColumns, 'firstFace'>, track: number): number[] {
  const first = firstFace[track] ?? 0
  return Array.from({ length: (firstFace[track + 1] ?? first) - first }, (_, k) => first + k)
}

/** Scales `length` values from `offset` on to the L2 norm `norm`; zeros stay zeros. */
export function normaliseAt(values: Float32Array, offset: number, length: number, norm = 1): void {
  let squares = 0
  for (let i = offset; i < offset + length; i++) squares += (values[i] ?? 0) ** 2
  if (squares === 0) return
  const factor = norm / Math.sqrt(squares)
  for (let i = offset; i < offset + length; i++) values[i] = (values[i] ?? 0) * factor
}
