import type { RgbImage } from '../image.js'
import type { DetectionPass } from './passes.js'

/**
 * Paints a pass's part of the image onto a canvas, black where it does not reach. Scaling averages over the pixels that
 * an output pixel covers (a triangle filter where it is about the same size), so small faces do not alias away.
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
  else scalePart(image, pass, canvas, widthPx, heightPx)
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

function scalePart(
  image: RgbImage,
  pass: DetectionPass,
  canvas: Uint8Array,
  widthPx: number,
  heightPx: number,
): void {
  const columns = Math.min(widthPx, Math.max(1, Math.round(pass.widthPx * pass.scale)))
  const rows = Math.min(heightPx, Math.max(1, Math.round(pass.heightPx * pass.scale)))
  // Looked up once: inside the loops V8 would check each time which kind of array it is.
  const { data, width } = image
  const horizontal = filterTaps(pass.widthPx, columns)
  const { taps, starts, weights } = horizontal
  const vertical = filterTaps(pass.heightPx, rows)
  // First along the rows that are needed, then down the columns.
  const middle = new Float32Array(pass.heightPx * columns * 3)
  for (let y = 0; y < pass.heightPx; y++) {
    const line = ((pass.yPx + y) * width + pass.xPx) * 3
    for (let x = 0; x < columns; x++) {
      const start = line + (starts[x] ?? 0) * 3
      let r = 0
      let g = 0
      let b = 0
      for (let tap = 0, at = start, weight = x * taps; tap < taps; tap++, at += 3, weight++) {
        const share = weights[weight] ?? 0
        r += share * (data[at] ?? 0)
        g += share * (data[at + 1] ?? 0)
        b += share * (data[at + 2] ?? 0)
      }
      const to = (y * columns + x) * 3
      middle[to] = r
      middle[to + 1] = g
      middle[to + 2] = b
    }
  }
  const lineLength = columns * 3
  // Whole lines are added up, weighted: memory is read in order.
  const sums = new Float32Array(lineLength)
  for (let y = 0; y < rows; y++) {
    sums.fill(0.5)
    for (let tap = 0; tap < vertical.taps; tap++) {
      const share = vertical.weights[y * vertical.taps + tap] ?? 0
      const from = ((vertical.starts[y] ?? 0) + tap) * lineLength
      if (share > 0)
        for (let i = 0; i < lineLength; i++) sums[i] = (sums[i] ?? 0) + share * (middle[from + i] ?? 0)
    }
    canvas.set(sums, y * widthPx * 3)
  }
}

interface FilterTaps {
  /** Taps an output pixel. */
  readonly taps: number
  /** The first input pixel of each output pixel. */
  readonly starts: Int32Array
  /** [outputs, taps], each row's sum 1. */
  readonly weights: Float32Array
}

function filterTaps(inputs: number, outputs: number): FilterTaps {
  const ratio = inputs / outputs
  const radius = Math.max(1, ratio)
  const taps = Math.min(inputs, Math.ceil(radius * 2) + 1)
  const starts = new Int32Array(outputs)
  const weights = new Float32Array(outputs * taps)
  for (let output = 0; output < outputs; output++) {
    const centre = (output + 0.5) * ratio - 0.5
    const start = Math.min(Math.max(0, Math.ceil(centre - radius)), inputs - taps)
    starts[output] = start
    let sum = 0
    for (let tap = 0; tap < taps; tap++) {
      const weight = Math.max(0, 1 - Math.abs(start + tap - centre) / radius)
      weights[output * taps + tap] = weight
      sum += weight
    }
    for (let tap = 0; tap < taps; tap++)
      weights[output * taps + tap] = (weights[output * taps + tap] ?? 0) / sum
  }
  return { taps, starts, weights }
}
