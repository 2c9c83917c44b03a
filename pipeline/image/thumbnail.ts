import { cropScaled } from './warp.js'
import { imageLibrary } from './image-library.js'
import type { BoxXyxyPx } from '../data/geometry.js'
import type { RgbImage } from '../data/image.js'

/** Largest side of a track's thumbnail, px. A face of this size fits a contact sheet, and its JPEG takes about 5 KB. */
export const thumbnailPx = 160

/** Side of the thumbnail in face sizes: it shows the whole head and a little of the surroundings. */
const margin = 1.7

/**
 * The square around a face, shifted so that it lies inside the image. It is small enough to keep while its track lives.
 */
export function cropThumbnail(image: RgbImage, [x1, y1, x2, y2]: BoxXyxyPx): RgbImage {
  const sidePx = Math.min(Math.max(x2 - x1, y2 - y1) * margin, image.width, image.height)
  const within = (centre: number, length: number) =>
    Math.min(Math.max(0, centre - sidePx / 2), length - sidePx)
  return cropScaled(
    image,
    within((x1 + x2) / 2, image.width),
    within((y1 + y2) / 2, image.height),
    sidePx,
    Math.min(thumbnailPx, Math.ceil(sidePx)),
  )
}

export async function encodeThumbnail(image: RgbImage): Promise<Uint8Array> {
  const { width, height, data } = image
  const sharp = await imageLibrary()
  return sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 80, optimiseCoding: false })
    .toBuffer()
}
