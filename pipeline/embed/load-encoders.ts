import { alignedFacePx } from '../align/align-face.js'
import { CameoError, messageOf } from '../common/errors.js'
import { scaleImage } from '../image/image-scale.js'
import { itemDims } from '../image/image-tensor.js'
import {
  embedderDigestOf,
  type ContextFile,
  type EmbedderFile,
  type ExtraEncoders,
} from '../models/packs/encoder-file.js'
import type { Model, ModelLoader } from '../models/session.js'
import { contextVector, createContextEncoder, type ContextEncoder } from './encode-context.js'
import { createEmbedder, type EmbedderOptions } from './embed-faces.js'
import type { ExtraEmbedder } from './extra-embedders.js'
import type { Tensor } from '../data/tensor.js'

export interface LoadedEncoders {
  readonly embedders: readonly ExtraEmbedder[]
  readonly contexts: readonly ContextEncoder[]
}

/**
 * Loads further embedders and context encoders, and runs each once, so that a file that does not fit its model is
 * reported before any clip is processed.
 * @throws ENCODER_INVALID that names both; otherwise the same errors as `load`
 */
export async function loadEncoders(
  { embedders, contexts }: ExtraEncoders,
  options: EmbedderOptions,
  load: ModelLoader,
): Promise<LoadedEncoders> {
  const loaded: { embedders: ExtraEmbedder[]; contexts: ContextEncoder[] } = { embedders: [], contexts: [] }
  for (const spec of embedders) {
    const model = await loadChecked(spec, load, (outputs) => [...outputs.values()][0]?.data.length)
    loaded.embedders.push(extraEmbedder(spec, model, options))
  }
  for (const spec of contexts) {
    const model = await loadChecked(spec, load, (outputs) => contextVector(spec, outputs).length)
    loaded.contexts.push(createContextEncoder(spec, model))
  }
  return loaded
}

function extraEmbedder(spec: EmbedderFile, model: Model, options: EmbedderOptions): ExtraEmbedder {
  const { widthPx, heightPx } = spec.input
  const embedder = createEmbedder(spec, model, options)
  const isAsCropped = widthPx === alignedFacePx && heightPx === alignedFacePx
  const whole = { xPx: 0, yPx: 0, widthPx: alignedFacePx, heightPx: alignedFacePx }
  return {
    ...embedder,
    digest: embedderDigestOf(spec, options.mirror),
    embed: (crop) => embedder.embed(isAsCropped ? crop : scaleImage(crop, whole, widthPx, heightPx)),
  }
}

async function loadChecked(
  spec: EmbedderFile | ContextFile,
  load: ModelLoader,
  dimensionOf: (outputs: ReadonlyMap<string, Tensor>) => number | undefined,
): Promise<Model> {
  const dims = itemDims(spec.input)
  const misfit = (what: string) =>
    new CameoError('ENCODER_INVALID', `${spec.source} does not fit its model ${spec.file}: ${what}`)
  let dimension: number | undefined
  let model: Model
  try {
    model = await load(spec.file, dims, spec.output)
    const blank = new Float32Array(dims.reduce((product, size) => product * size, 1))
    dimension = dimensionOf(await model.run({ data: blank, dims }))
  } catch (error) {
    if (error instanceof CameoError && error.code !== 'ENCODER_INVALID') throw error
    throw misfit(messageOf(error))
  }
  if (dimension !== spec.dimension)
    throw misfit(`it states ${spec.dimension} values, but the model returns ${dimension ?? 0}`)
  return model
}
