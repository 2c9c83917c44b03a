import pMap from 'p-map'
import { mirror } from '../align/align-face.js'
import type { RgbImage } from '../data/image.js'
import { mirroredDigestOf } from '../models/packs/encoder-file.js'
import type { Embedder } from './embed-faces.js'
import type { Embedding } from '../data/embedding.js'

/** An embedder in addition to the pack's own. */
export interface ExtraEmbedder extends Embedder {
  readonly digest: string
}

export interface ExtraEmbedding extends Embedding {
  /** Digest of the embedder. */
  readonly embedder: string
}

/** An embedder of the faces' mirror images. */
export const mirroredEmbedder = (embedder: ExtraEmbedder): ExtraEmbedder => ({
  ...embedder,
  digest: mirroredDigestOf(embedder.digest),
  embed: (crop) => embedder.embed(mirror(crop)),
})

/** Each embedder's embedding of each aligned face: [crops][embedders]. */
export async function embedFurther(
  crops: readonly RgbImage[],
  embedders: readonly ExtraEmbedder[],
): Promise<ExtraEmbedding[][]> {
  const ofCrops = crops.map((): ExtraEmbedding[] => [])
  for (const embedder of embedders) {
    const embeddings = await pMap(crops, (crop) => embedder.embed(crop), {
      concurrency: embedder.inFlight ?? 1,
    })
    embeddings.forEach((embedding, i) => ofCrops[i]?.push({ embedder: embedder.digest, ...embedding }))
  }
  return ofCrops
}
