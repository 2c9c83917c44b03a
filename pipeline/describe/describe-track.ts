import { l2Normalise } from '../embed/embed-faces.js'
import type { Model } from '../models/session.js'
import { poolEmbeddings, type WeightedEmbedding } from './pool.js'

/** Turns a track's face embeddings into the one vector that is indexed. */
export interface Describer {
  readonly dimension: number
  /** L2-normalised, `dimension` values. */
  describe(embeddings: readonly WeightedEmbedding[]): Promise<Float32Array>
}

/**
 * Quality-weighted pooling, then the head where one is given: an ONNX model [batch, d] → [batch, e], whose output named
 * `descriptor` (or else its first) is the descriptor.
 */
export async function createDescriber(dimension: number, head: Model | undefined): Promise<Describer> {
  if (head === undefined)
    return { dimension, describe: (embeddings) => Promise.resolve(poolEmbeddings(embeddings, dimension)) }
  const name = head.outputNames.includes('descriptor') ? 'descriptor' : head.outputNames[0]
  const apply = async (pooled: Float32Array): Promise<Float32Array> => {
    const output =
      name === undefined ? undefined : (await head.run({ data: pooled, dims: [1, dimension] })).get(name)
    if (output === undefined) throw new Error('the head has no output')
    return l2Normalise(output.data)
  }
  const headDimension = (await apply(new Float32Array(dimension).fill(1 / Math.sqrt(dimension)))).length
  return { dimension: headDimension, describe: (embeddings) => apply(poolEmbeddings(embeddings, dimension)) }
}
