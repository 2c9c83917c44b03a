import { alignedFacePx } from '../../align/align-face.js'
import { PictureFile, readPhotoFile } from './image-file.js'
import type { RgbImage } from '../../data/image.js'

/**
 * Reads a face that is already aligned, as benchmarks distribute them: 112×112, or scaled to that size.
 * @param source a file, or its bytes @param name for messages
 * @throws IMAGE_UNREADABLE
 */
export async function readAlignedFace(source: string | Uint8Array, name: string): Promise<RgbImage> {
  const bytes = typeof source === 'string' ? await readPhotoFile(source) : Buffer.from(source)
  const file = await PictureFile.open(bytes, name)
  await file.size(0) // throws if it is too large
  return file.rgb(0, { width: alignedFacePx, height: alignedFacePx })
}
