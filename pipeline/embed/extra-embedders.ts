import pMap from 'p-map'
import { mirror } from '../align/align-face.js'
import type { RgbImage } from '../data/image.js'
import { mirroredDigestOf } from '../models/packs/encoder-file.js'
import type { Embedder } from './embed-faces.js'
import type { Embedding } from '../data/embedding.js'

/** An embedder beside the pack's own. */
export interface ExtraEmbedder extends Embedder {
  readonly digest: string
}

export interface ExtraEmbedding extends Embedding {
  /** Digest of the embedder. */
  readonly embedder: string
}

/** What an embedder makes of the mirror images of faces. */
export const mirroredEmbedder = (embedder: ExtraEmbedder): ExtraEmbedder => ({
  ...embedder,
  digest: mirroredDigestOf(embedder.digest),
  embed: (crop) => embedder.embed(mirror(crop)),
})

/** What each embedder makes of each aligned face: [crops][embedders]. */
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
