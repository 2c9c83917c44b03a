import sharp from 'sharp'
import { alignedFacePx } from './align/align-face.js'
import { CameoError, messageOf } from './errors.js'
import type { RgbImage } from './image.js'

/**
 * A face that is aligned already, as benchmarks hand them out: 112×112, scaled to that where it is not.
 * @param source a file, or its bytes @param name for messages
 * @throws IMAGE_UNREADABLE
 */
export async function readAlignedFace(source: string | Uint8Array, name: string): Promise<RgbImage> {
  try {
    const { data, info } = await sharp(source)
      .resize(alignedFacePx, alignedFacePx, { fit: 'fill' })
      .flatten({ background: '#808080' })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
    if (info.channels !== 3) throw new Error(`${info.channels} channels instead of red, green and blue`)
    return { width: info.width, height: info.height, data }
  } catch (error) {
    throw new CameoError('IMAGE_UNREADABLE', `${name} cannot be read as an image (${messageOf(error)})`, {
      cause: error,
    })
  }
}
