import { alignedFacePx } from '../../align/align-face.js'
import { PictureFile, readPhotoFile } from './image-file.js'
import type { RgbImage } from '../../data/image.js'

/**
 * A face that is aligned already, as benchmarks hand them out: 112×112, scaled to that where it is not.
 * @param source a file, or its bytes @param name for messages
 * @throws IMAGE_UNREADABLE
 */
export async function readAlignedFace(source: string | Uint8Array, name: string): Promise<RgbImage> {
  const bytes = typeof source === 'string' ? await readPhotoFile(source) : Buffer.from(source)
  const file = await PictureFile.open(bytes, name)
  await file.size(0) // refuses one that is too large
  return file.rgb(0, { width: alignedFacePx, height: alignedFacePx })
}
