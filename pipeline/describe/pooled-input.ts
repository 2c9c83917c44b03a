import { CameoError } from '../common/errors.js'
import { poolEmbeddings, type WeightedEmbedding } from './pool.js'

/** One of the embedders of a head's input. */
export interface InputEmbedder {
  readonly digest: string
  readonly name: string
  readonly dimension: number
}

/** A face with its embedding by the archive's own embedder, and its embeddings by further ones. */
export interface FaceEmbeddings extends WeightedEmbedding {
  readonly extraEmbeddings?: readonly { readonly embedder: string; readonly float16: Uint16Array }[]
}

export const inputDimension = (embedders: readonly Pick<InputEmbedder, 'dimension'>[]): number =>
  embedders.reduce((sum, { dimension }) => sum + dimension, 0)

/**
 * The input of a head for one track: the pooled embedding of each embedder, each of length 1, one after the other. All
 * are divided by the square root of their number, so that the whole has length 1 too.
 * @param own digest of the archive's own embedder
 * @returns `inputDimension(embedders)` values
 * @throws HEAD_OTHER_EMBEDDER if a face has no embedding by one of them
 */
export function pooledInput(
  faces: readonly FaceEmbeddings[],
  embedders: readonly InputEmbedder[],
  own: string,
): Float32Array {
  const [first] = embedders
  if (first === undefined) throw new Error('a head needs at least one embedder')
  const pooled = embedders.map((embedder) =>
    poolEmbeddings(
      embedder.digest === own ? faces : faces.map((face) => byEmbedder(face, embedder)),
      embedder.dimension,
    ),
  )
  return concatenatePooled(pooled)
}

function byEmbedder({ quality, extraEmbeddings }: FaceEmbeddings, wanted: InputEmbedder): WeightedEmbedding {
  const found = extraEmbeddings?.find(({ embedder }) => embedder === wanted.digest)
  if (found !== undefined) return { float16: found.float16, quality }
  throw new CameoError(
    'HEAD_OTHER_EMBEDDER',
    `the head also needs embeddings of ${wanted.name} (${wanted.digest.slice(0, 12)}), which these faces do not have; enroll their photos again, or ingest with that embedder`,
    { details: { remedy: 'add-embedder', embedder: wanted.name } },
  )
}

/** Vectors of length 1, one after the other, divided by the square root of their number. */
export function concatenatePooled(parts: readonly Float32Array[]): Float32Array {
  const [only] = parts
  if (only !== undefined && parts.length === 1) return only
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  const factor = 1 / Math.sqrt(parts.length)
  let at = 0
  for (const part of parts) for (const value of part) whole[at++] = value * factor
  return whole
}
