import type { Landmarks5Px } from '../data/geometry.js'
import type { RgbImage } from '../data/image.js'
import { arcfaceTemplate, estimateSimilarity, invertSimilarity } from '../image/similarity-transform.js'
import { warp } from '../image/warp.js'

/** Side of an aligned crop, px: the input size of ArcFace embedders. */
export const alignedFacePx = 112

/** The face, turned and scaled so that its five points lie where ArcFace expects them: a 112×112 RGB crop. */
export function alignFace(image: RgbImage, landmarks: Landmarks5Px): RgbImage {
  const toCrop = estimateSimilarity(landmarks, arcfaceTemplate)
  return warp(image, invertSimilarity(toCrop), alignedFacePx, alignedFacePx)
}

/** The mirror image: left and right are swapped. */
export function mirror({ width, height, data }: RgbImage): RgbImage {
  const flipped = new Uint8Array(data.length)
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      const from = (row * width + column) * 3
      const to = (row * width + width - 1 - column) * 3
      flipped[to] = data[from] ?? 0
      flipped[to + 1] = data[from + 1] ?? 0
      flipped[to + 2] = data[from + 2] ?? 0
    }
  return { width, height, data: flipped }
}
