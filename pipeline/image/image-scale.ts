import type { RgbImage } from '../data/image.js'

/** A rectangle of an image, in whole pixels. */
export interface ImagePart {
  readonly xPx: number
  readonly yPx: number
  readonly widthPx: number
  readonly heightPx: number
}

/** An image, or a part of it, scaled to another size; see `scalePart`. */
export function scaleImage(image: RgbImage, part: ImagePart, widthPx: number, heightPx: number): RgbImage {
  const data = new Uint8Array(widthPx * heightPx * 3)
  scalePart(image, part, widthPx, heightPx, data, widthPx)
  return { width: widthPx, height: heightPx, data }
}

/**
 * Scales a part of an image to `columns`×`rows` pixels in the upper left of `target`. The rows of `target` are
 * `targetWidthPx` long. Each output pixel is the average of the pixels that it covers (a triangle filter if the scale
 * is about 1).
 */
export function scalePart(
  image: RgbImage,
  part: ImagePart,
  columns: number,
  rows: number,
  target: Uint8Array,
  targetWidthPx: number,
): void {
  // Read once: inside the loops V8 would check the kind of array at each access.
  const { data, width } = image
  const horizontal = filterTaps(part.widthPx, columns)
  const { taps, starts, weights } = horizontal
  const vertical = filterTaps(part.heightPx, rows)
  // First along the rows that are needed, then along the columns.
  const middle = new Float32Array(part.heightPx * columns * 3)
  for (let y = 0; y < part.heightPx; y++) {
    const line = ((part.yPx + y) * width + part.xPx) * 3
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
  // Adds up whole weighted rows, so that memory is read in order.
  const sums = new Float32Array(lineLength)
  for (let y = 0; y < rows; y++) {
    sums.fill(0.5)
    for (let tap = 0; tap < vertical.taps; tap++) {
      const share = vertical.weights[y * vertical.taps + tap] ?? 0
      const from = ((vertical.starts[y] ?? 0) + tap) * lineLength
      if (share > 0)
        for (let i = 0; i < lineLength; i++) sums[i] = (sums[i] ?? 0) + share * (middle[from + i] ?? 0)
    }
    target.set(sums, y * targetWidthPx * 3)
  }
}

interface FilterTaps {
  /** Taps per output pixel. */
  readonly taps: number
  /** The first input pixel of each output pixel. */
  readonly starts: Int32Array
  /** [outputs, taps]; each row adds up to 1. */
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
