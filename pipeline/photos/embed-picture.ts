import { decodeFacePicture, type FacePicture } from '../align/face-picture.js'
import { CameoError } from '../common/errors.js'
import type { Embedding } from '../data/embedding.js'
import { embedFurther, type ExtraEmbedding } from '../embed/extra-embedders.js'
import { alignAndMeasure } from '../faces/analyse-frame.js'
import type { Stages } from '../stages/load-pipeline.js'

/**
 * Embeds a face from its kept picture, also with models that it was not enrolled with. No detector runs: the landmarks
 * are known.
 * @throws IMAGE_UNREADABLE; IMAGE_NO_FACE if the models see no usable face in it
 */
export async function embedFacePicture(
  picture: FacePicture,
  stages: Pick<Stages, 'landmarker' | 'embedder' | 'encoders' | 'normRange'>,
): Promise<{ readonly embedding: Embedding; readonly extraEmbeddings: readonly ExtraEmbedding[] }> {
  const { boxXyxyPx, landmarksPx } = picture
  const image = await decodeFacePicture(picture)
  const face = { boxXyxyPx, landmarksPx, detectionScore: 1 }
  const { alignedCrop } = await alignAndMeasure(face, image, stages)
  const embedding = await stages.embedder.embed(alignedCrop)
  if (embedding.norm < (stages.normRange?.low ?? 0))
    throw new CameoError('IMAGE_NO_FACE', 'these models see no usable face in it')
  const [extraEmbeddings = []] = await embedFurther([alignedCrop], stages.encoders.embedders)
  return { embedding, extraEmbeddings }
}
