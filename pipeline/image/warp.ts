import type { RgbImage } from '../data/image.js'
import type { Similarity } from './similarity-transform.js'

/**
 * Samples per pixel along each side. A bilinear sample covers two source pixels, so half the scale is enough against
 * aliasing. More samples than this cost time and make no visible difference.
 */
const maxSamplesPerSide = 4

/**
 * Fills a `widthPx`×`heightPx` image by looking up each of its pixels in `source`. `toSource` maps output coordinates
 * to source coordinates (pixel centres at +0, as in OpenCV's warpAffine). Sampling is bilinear; if the source has more
 * detail than the output, several samples are averaged. Pixels outside the source are black.
 */
export function warp(source: RgbImage, toSource: Similarity, widthPx: number, heightPx: number): RgbImage {
  const { a, b, tx, ty } = toSource
  const { width, height, data } = source
  const stride = width * 3
  const output = new Uint8Array(widthPx * heightPx * 3)
  const side = Math.min(maxSamplesPerSide, Math.max(1, Math.round(Math.hypot(a, b) / 2)))
  const lastLeft = width - 1
  const lastTop = height - 1
  // The hot loop of alignment. A single sample with all its neighbours takes no calls, no allocation and no branches.
  for (let row = 0, at = 0; row < heightPx; row++)
    for (let column = 0; column < widthPx; column++, at += 3) {
      const x = a * column - b * row + tx
      const y = b * column + a * row + ty
      if (side > 1 || !(x >= 0 && y >= 0 && x < lastLeft && y < lastTop)) {
        averageSamples(source, toSource, side, row, column, output, at)
        continue
      }
      const left = Math.floor(x)
      const top = Math.floor(y)
      const fx = x - left
      const fy = y - top
      const nw = top * stride + left * 3
      const sw = nw + stride
      const weightNw = (1 - fy) * (1 - fx)
      const weightNe = (1 - fy) * fx
      const weightSw = fy * (1 - fx)
      const weightSe = fy * fx
      output[at] =
        weightNw * (data[nw] ?? 0) +
        weightNe * (data[nw + 3] ?? 0) +
        weightSw * (data[sw] ?? 0) +
        weightSe * (data[sw + 3] ?? 0) +
        0.5
      output[at + 1] =
        weightNw * (data[nw + 1] ?? 0) +
        weightNe * (data[nw + 4] ?? 0) +
        weightSw * (data[sw + 1] ?? 0) +
        weightSe * (data[sw + 4] ?? 0) +
        0.5
      output[at + 2] =
        weightNw * (data[nw + 2] ?? 0) +
        weightNe * (data[nw + 5] ?? 0) +
        weightSw * (data[sw + 2] ?? 0) +
        weightSe * (data[sw + 5] ?? 0) +
        0.5
    }
  return { width: widthPx, height: heightPx, data: output }
}

/** One pixel as the mean of `side`² samples; any of them may lie outside the source. */
function averageSamples(
  { width, height, data }: RgbImage,
  { a, b, tx, ty }: Similarity,
  side: number,
  row: number,
  column: number,
  output: Uint8Array,
  at: number,
): void {
  const stride = width * 3
  const step = 1 / side
  const first = step / 2 - 0.5
  const share = step * step
  let red = 0
  let green = 0
  let blue = 0
  for (let i = 0; i < side; i++) {
    const v = row + first + i * step
    for (let j = 0; j < side; j++) {
      const u = column + first + j * step
      const x = a * u - b * v + tx
      const y = b * u + a * v + ty
      const left = Math.floor(x)
      const top = Math.floor(y)
      if (left < -1 || top < -1 || left >= width || top >= height) continue
      const fx = x - left
      const fy = y - top
      // Weights of the four neighbours; those outside the source have the weight 0.
      const west = left >= 0 ? 1 - fx : 0
      const east = left + 1 < width ? fx : 0
      const north = top >= 0 ? 1 - fy : 0
      const south = top + 1 < height ? fy : 0
      const nw = (top < 0 ? 0 : top * stride) + (left < 0 ? 0 : left * 3)
      const right = left >= 0 && left + 1 < width ? 3 : 0
      const below = top >= 0 && top + 1 < height ? stride : 0
      const weightNw = north * west
      const weightNe = north * east
      const weightSw = south * west
      const weightSe = south * east
      const ne = nw + right
      const sw = nw + below
      const se = sw + right
      red +=
        weightNw * (data[nw] ?? 0) +
        weightNe * (data[ne] ?? 0) +
        weightSw * (data[sw] ?? 0) +
        weightSe * (data[se] ?? 0)
      green +=
        weightNw * (data[nw + 1] ?? 0) +
        weightNe * (data[ne + 1] ?? 0) +
        weightSw * (data[sw + 1] ?? 0) +
        weightSe * (data[se + 1] ?? 0)
      blue +=
        weightNw * (data[nw + 2] ?? 0) +
        weightNe * (data[ne + 2] ?? 0) +
        weightSw * (data[sw + 2] ?? 0) +
        weightSe * (data[se + 2] ?? 0)
    }
  }
  output[at] = red * share + 0.5
  output[at + 1] = green * share + 0.5
  output[at + 2] = blue * share + 0.5
}

/** A part of an image, scaled to `outputPx`×`outputPx`. What lies outside the image is black. */
export function cropScaled(
  source: RgbImage,
  xPx: number,
  yPx: number,
  sidePx: number,
  outputPx: number,
): RgbImage {
  const scale = sidePx / outputPx
  // Pixel centres: output 0 samples the middle of the first `scale` source pixels.
  const shift = (scale - 1) / 2
  return warp(source, { a: scale, b: 0, tx: xPx + shift, ty: yPx + shift }, outputPx, outputPx)
}
