import { mirror } from '../align/align-face.js'
import type { RgbImage } from '../data/image.js'
import { createToTensor } from '../image/image-tensor.js'
import type { EmbedderSpec } from '../models/packs/pack.js'
import type { Model } from '../models/session.js'
import { encodeFloat16 } from '../data/float16.js'
import { l2Norm, l2Normalise } from '../data/vector-math.js'
import type { Embedding } from '../data/embedding.js'

export interface Embedder {
  readonly dimension: number
  /** Number of faces worth embedding at the same time: see `Model`. */
  readonly inFlight?: number | undefined
  /** `crop` is an aligned 112×112 face. */
  embed(crop: RgbImage): Promise<Embedding>
}

export interface EmbedderOptions {
  /** Add the embedding of the mirror image: it takes twice the time and is a little more robust. */
  readonly mirror: boolean
}

/** An embedder with vectors that are not rounded yet. */
interface RawEmbedder {
  readonly dimension: number
  readonly inFlight?: number | undefined
  embed(crop: RgbImage): Promise<Float32Array>
}

/**
 * Creates an embedder from its pack's description and its loaded model. Throws if the model's output is not such a
 * vector.
 */
export function createEmbedder(
  spec: Pick<EmbedderSpec, 'input' | 'dimension'>,
  model: Model,
  options: EmbedderOptions,
): Embedder {
  return rounded(createRawEmbedder(spec, model, options))
}

/** One embedder made of several: see `ensembleOf`. Throws the same errors as `createEmbedder`. */
export function createEnsembleEmbedder(
  members: readonly { readonly spec: Pick<EmbedderSpec, 'input' | 'dimension'>; readonly model: Model }[],
  options: EmbedderOptions,
): Embedder {
  const embedders = members.map(({ spec, model }) => createRawEmbedder(spec, model, options))
  const inFlight = Math.min(...embedders.map((embedder) => embedder.inFlight ?? 1))
  return rounded({
    dimension: embedders.reduce((sum, { dimension }) => sum + dimension, 0),
    ...(inFlight > 1 ? { inFlight } : {}),
    async embed(crop) {
      const vectors: Float32Array[] = []
      for (const embedder of embedders) vectors.push(await embedder.embed(crop))
      return concatenate(vectors)
    },
  })
}

/** Concatenates the vectors at equal lengths; the whole is as long as the first vector. */
function concatenate(vectors: readonly Float32Array[]): Float32Array {
  const lengthOfEach = l2Norm(vectors[0] ?? new Float32Array(0)) / Math.sqrt(vectors.length)
  const all = vectors.flatMap((vector) => [...l2Normalise(vector)])
  return Float32Array.from(all, (value) => value * lengthOfEach)
}

const rounded = (raw: RawEmbedder): Embedder => ({
  ...raw,
  async embed(crop) {
    const vector = await raw.embed(crop)
    return { float16: encodeFloat16(vector), norm: l2Norm(vector) }
  },
})

function createRawEmbedder(
  spec: Pick<EmbedderSpec, 'input' | 'dimension'>,
  model: Model,
  options: EmbedderOptions,
): RawEmbedder {
  const toTensor = createToTensor(spec.input)
  const runOnce = async (crop: RgbImage): Promise<Float32Array> => {
    const outputs = await model.run(toTensor(crop))
    const vector = [...outputs.values()][0]?.data
    if (vector?.length !== spec.dimension)
      throw new Error(
        `the embedder returns ${vector?.length ?? 0} values, but its pack states ${spec.dimension}`,
      )
    return vector
  }
  return {
    dimension: spec.dimension,
    inFlight: model.inFlight,
    async embed(crop) {
      const vector = await runOnce(crop)
      if (options.mirror) {
        const mirrored = await runOnce(mirror(crop))
        for (let i = 0; i < vector.length; i++) vector[i] = ((vector[i] ?? 0) + (mirrored[i] ?? 0)) / 2
      }
      return vector
    },
  }
}
