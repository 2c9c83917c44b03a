import type { RgbImage } from '../data/image.js'
import { scalePart } from '../image/image-scale.js'
import type { DetectionPass } from './passes.js'

/**
 * Paints the pass's part of the image onto a canvas; the rest of the canvas is black. Each output pixel is the average
 * of the pixels that it covers (a triangle filter if the scale is about 1), so that small faces are not lost to
 * aliasing.
 */
export function paintCanvas(
  image: RgbImage,
  pass: DetectionPass,
  widthPx: number,
  heightPx: number,
): RgbImage {
  const isWholeCanvas = pass.scale === 1 && image.width === widthPx && image.height === heightPx
  if (isWholeCanvas && pass.xPx === 0 && pass.yPx === 0) return image
  const canvas = new Uint8Array(widthPx * heightPx * 3)
  if (pass.scale === 1) copyPart(image, pass, canvas, widthPx, heightPx)
  else {
    const columns = Math.min(widthPx, Math.max(1, Math.round(pass.widthPx * pass.scale)))
    const rows = Math.min(heightPx, Math.max(1, Math.round(pass.heightPx * pass.scale)))
    scalePart(image, pass, columns, rows, canvas, widthPx)
  }
  return { width: widthPx, height: heightPx, data: canvas }
}

function copyPart(
  image: RgbImage,
  pass: DetectionPass,
  canvas: Uint8Array,
  widthPx: number,
  heightPx: number,
): void {
  const columns = Math.min(pass.widthPx, widthPx, image.width - pass.xPx)
  const rows = Math.min(pass.heightPx, heightPx, image.height - pass.yPx)
  for (let row = 0; row < rows; row++) {
    const from = ((pass.yPx + row) * image.width + pass.xPx) * 3
    canvas.set(image.data.subarray(from, from + columns * 3), row * widthPx * 3)
  }
}
