import type { RgbImage } from '../image.js'
import type { Similarity } from './similarity.js'

/** More samples a pixel than this cost time and show nothing. */
const maxSamplesPerSide = 4

/**
 * Fills a `widthPx`×`heightPx` image by looking each of its pixels up in `source`: `toSource` maps output coordinates to
 * source coordinates (pixel centres at +0 as OpenCV's warpAffine has them). Bilinear; where the source is more detailed
 * than the output, the average of several samples. Black outside the source.
 */
export function warp(source: RgbImage, toSource: Similarity, widthPx: number, heightPx: number): RgbImage {
  const { a, b, tx, ty } = toSource
  const data = new Uint8Array(widthPx * heightPx * 3)
  const side = Math.min(maxSamplesPerSide, Math.max(1, Math.round(Math.hypot(a, b))))
  const share = 1 / (side * side)
  const pixel = new Float32Array(3)
  for (let row = 0, at = 0; row < heightPx; row++)
    for (let column = 0; column < widthPx; column++, at += 3) {
      pixel.fill(0)
      for (let i = 0; i < side; i++)
        for (let j = 0; j < side; j++) {
          const x = column + (j + 0.5) / side - 0.5
          const y = row + (i + 0.5) / side - 0.5
          addBilinear(source, a * x - b * y + tx, b * x + a * y + ty, share, pixel)
        }
      data[at] = (pixel[0] ?? 0) + 0.5
      data[at + 1] = (pixel[1] ?? 0) + 0.5
      data[at + 2] = (pixel[2] ?? 0) + 0.5
    }
  return { width: widthPx, height: heightPx, data }
}

function addBilinear(
  { width, height, data }: RgbImage,
  x: number,
  y: number,
  share: number,
  pixel: Float32Array,
): void {
  const left = Math.floor(x)
  const top = Math.floor(y)
  if (left < -1 || top < -1 || left >= width || top >= height) return
  const fx = x - left
  const fy = y - top
  for (let dy = 0; dy < 2; dy++) {
    const sourceY = top + dy
    if (sourceY < 0 || sourceY >= height) continue
    const weightY = (dy === 0 ? 1 - fy : fy) * share
    for (let dx = 0; dx < 2; dx++) {
      const sourceX = left + dx
      if (sourceX < 0 || sourceX >= width) continue
      const weight = weightY * (dx === 0 ? 1 - fx : fx)
      const at = (sourceY * width + sourceX) * 3
      pixel[0] = (pixel[0] ?? 0) + weight * (data[at] ?? 0)
      pixel[1] = (pixel[1] ?? 0) + weight * (data[at + 1] ?? 0)
      pixel[2] = (pixel[2] ?? 0) + weight * (data[at + 2] ?? 0)
    }
  }
}

/** A part of an image, scaled to `widthPx`×`heightPx`; black where the part reaches over the edge. */
export function cropScaled(
  source: RgbImage,
  xPx: number,
  yPx: number,
  sidePx: number,
  outputPx: number,
): RgbImage {
  const scale = sidePx / outputPx
  // Pixel centres: output 0 looks at the middle of the first `scale` source pixels.
  const shift = (scale - 1) / 2
  return warp(source, { a: scale, b: 0, tx: xPx + shift, ty: yPx + shift }, outputPx, outputPx)
}
