import { decodeFacePicture, type FacePicture } from '../align/face-picture.js'
import type { Embedding } from '../data/embedding.js'
import { embedFurther, type ExtraEmbedding } from '../embed/extra-embedders.js'
import { alignAndMeasure } from '../faces/analyse-frame.js'
import type { Stages } from '../stages/load-pipeline.js'

/**
 * Embeds a face from its kept picture, also with models that it was not enrolled with. No detector runs: the landmarks
 * are known. @throws IMAGE_UNREADABLE
 */
export async function embedFacePicture(
  picture: FacePicture,
  stages: Pick<Stages, 'landmarker' | 'embedder' | 'encoders'>,
): Promise<{ readonly embedding: Embedding; readonly extraEmbeddings: readonly ExtraEmbedding[] }> {
  const { boxXyxyPx, landmarksPx } = picture
  const image = await decodeFacePicture(picture)
  const face = { boxXyxyPx, landmarksPx, detectionScore: 1 }
  const { alignedCrop } = await alignAndMeasure(face, image, stages)
  const [extraEmbeddings = []] = await embedFurther([alignedCrop], stages.encoders.embedders)
  return { embedding: await stages.embedder.embed(alignedCrop), extraEmbeddings }
}
