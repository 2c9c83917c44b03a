import { CameoError } from '../common/errors.js'
import type { BoxXyxyPx, Landmarks5Px } from '../data/geometry.js'
import type { RgbImage } from '../data/image.js'
import { imageLibrary } from '../image/image-library.js'
import {
  applySimilarity,
  arcfaceTemplate,
  estimateSimilarity,
  invertSimilarity,
} from '../image/similarity-transform.js'
import { warp } from '../image/warp.js'
import { alignedFacePx } from './align-face.js'

/** A picture of one face that is kept, from which any model can embed the face later. */
export interface FacePicture {
  /** JPEG, `facePicturePx` wide and high. */
  readonly jpeg: Uint8Array
  /** Pixels of the picture. */
  readonly boxXyxyPx: BoxXyxyPx
  readonly landmarksPx: Landmarks5Px
}

/** The same before it is encoded. */
export interface FaceCrop {
  readonly image: RgbImage
  readonly boxXyxyPx: BoxXyxyPx
  readonly landmarksPx: Landmarks5Px
}

/** The aligned crop in the middle of a picture has this many times its usual size: alignment samples it once more. */
const enlargement = 1.5
/** Side of a picture, in sides of the aligned crop: other detectors and aligners need what is around the face. */
const margin = 2

export const facePicturePx = alignedFacePx * enlargement * margin

/** Bytes of a picture at most. They travel in messages. */
export const maxFacePictureBytes = 64 * 1024

/** From the best quality on, the first that keeps within the bytes is used; most faces take about 25 KB at 90. */
const qualities = [90, 80, 60, 30]

/** The face, turned and scaled like an aligned crop, with what is around it. What lies outside the image is black. */
export function cropFace(
  image: RgbImage,
  { boxXyxyPx: [x1, y1, x2, y2], landmarksPx }: Pick<FacePicture, 'boxXyxyPx' | 'landmarksPx'>,
): FaceCrop {
  const aside = ((margin - 1) / 2) * alignedFacePx
  const template = arcfaceTemplate.map(({ x, y }) => ({
    x: (x + aside) * enlargement,
    y: (y + aside) * enlargement,
  }))
  const toPicture = estimateSimilarity(landmarksPx, template)
  const [a, b, c, d, e] = landmarksPx
  const at = (point: { readonly x: number; readonly y: number }) => applySimilarity(toPicture, point)
  const corners = [at({ x: x1, y: y1 }), at({ x: x2, y: y1 }), at({ x: x1, y: y2 }), at({ x: x2, y: y2 })]
  const [xs, ys] = [corners.map(({ x }) => x), corners.map(({ y }) => y)]
  return {
    image: warp(image, invertSimilarity(toPicture), facePicturePx, facePicturePx),
    boxXyxyPx: [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)],
    landmarksPx: [at(a), at(b), at(c), at(d), at(e)],
  }
}

export async function encodeFacePicture({ image, boxXyxyPx, landmarksPx }: FaceCrop): Promise<FacePicture> {
  const { width, height, data } = image
  const raw = { raw: { width, height, channels: 3 as const } }
  const sharp = await imageLibrary()
  let jpeg = new Uint8Array(0)
  for (const quality of qualities) {
    jpeg = await sharp(data, raw).jpeg({ quality, chromaSubsampling: '4:4:4' }).toBuffer()
    if (jpeg.byteLength <= maxFacePictureBytes) break
  }
  return { jpeg, boxXyxyPx, landmarksPx }
}

/** @throws IMAGE_UNREADABLE if it is not such a picture */
export async function decodeFacePicture({ jpeg }: Pick<FacePicture, 'jpeg'>): Promise<RgbImage> {
  try {
    const sharp = await imageLibrary()
    const image = sharp(jpeg, { limitInputPixels: facePicturePx ** 2, failOn: 'error' })
    const { format, width, height } = await image.metadata()
    if (format !== 'jpeg' || width !== facePicturePx || height !== facePicturePx)
      throw new Error(`it is a ${format} of ${width}×${height} pixels`)
    const { data, info } = await image
      .toColourspace('srgb')
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true })
    if (info.channels !== 3) throw new Error(`it has ${info.channels} channels`)
    return { width, height, data }
  } catch (cause) {
    throw new CameoError('IMAGE_UNREADABLE', 'the kept picture of a face cannot be read', { cause })
  }
}
