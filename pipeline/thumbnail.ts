import sharp from 'sharp'
import { cropScaled } from './align/warp.js'
import type { BoxXyxyPx } from './geometry.js'
import type { RgbImage } from './image.js'

/** Side of a track's thumbnail, px: a face fits a contact sheet, and a JPEG of it about 5 KB. */
export const thumbnailPx = 160

/** How much is shown around a face: the whole head and a little of the surroundings. */
const margin = 1.7

/** The square around a face as pixels; small enough to keep while its track lives. */
export function cropThumbnail(image: RgbImage, [x1, y1, x2, y2]: BoxXyxyPx): RgbImage {
  const sidePx = Math.max(x2 - x1, y2 - y1) * margin
  return cropScaled(image, (x1 + x2 - sidePx) / 2, (y1 + y2 - sidePx) / 2, sidePx, thumbnailPx)
}

export async function encodeThumbnail(image: RgbImage): Promise<Uint8Array> {
  const { width, height, data } = image
  return sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 80 })
    .toBuffer()
}
