import type { RgbImage } from '../data/image.js'
import type { ImagePart } from '../image/image-scale.js'

/** How the luma of a dark picture is brightened: (luma − `black`) × `gain`. */
export interface LumaStretch {
  /** 0..255. */
  readonly black: number
  /** Above 1. */
  readonly gain: number
}

/** Number of pixels that are sampled to measure a picture's brightness. */
const sampledPixels = 4096

/** Highest luma of pillarbox bars, compression noise included. Bars say nothing about the picture between them. */
const barLuma = 1
/** If no more than this share is brighter than bars, there is no picture. */
const leastShare = 0.02

/** The brightness of a picture is this percentile of its pixels: a bright logo covers only a few per cent. */
const brightPercentile = 0.9
const blackPercentile = 0.01

/** Pictures with a lower brightness are dark … */
const darkBelow = 60
/** … pictures below this brightness are noise … */
const noiseBelow = 4
/** … and dark pictures are brightened to the level of an ordinary photo. */
const targetLuma = 190

/** How to brighten a part of an image; undefined if it is bright enough, or black. */
export function stretchOfDark(image: RgbImage, part: ImagePart = wholeOf(image)): LumaStretch | undefined {
  const { counts, total } = lumaHistogram(image, part)
  let inBars = 0
  for (let luma = 0; luma <= barLuma; luma++) inBars += counts[luma] ?? 0
  const inPicture = total - inBars
  if (inPicture < total * leastShare) return undefined
  const bright = lumaAt(counts, inBars + inPicture * brightPercentile)
  if (bright >= darkBelow || bright < noiseBelow) return undefined
  const black = Math.min(lumaAt(counts, total * blackPercentile), bright - 1)
  return { black, gain: targetLuma / (bright - black) }
}

/**
 * Colours are amplified less than luma: in the dark, little and coarse colour remains, and some cameras and editors
 * darken only luma.
 */
const colourShare = 0.25

/**
 * A part of an image, smoothed and brightened. A dark picture has few brightness steps, and amplified they would look
 * like edges; the mean of neighbours adds steps between them.
 */
export function stretchLuma(
  image: RgbImage,
  { black, gain }: LumaStretch,
  part: ImagePart = wholeOf(image),
): RgbImage {
  const smooth = smoothed(image, part)
  const data = new Uint8ClampedArray(smooth.length)
  for (let at = 0; at < smooth.length; at += 3) {
    const luma = lumaOf(smooth, at)
    const bright = (luma - black) * gain
    for (let i = at; i < at + 3; i++) data[i] = bright + ((smooth[i] ?? 0) - luma) * gain * colourShare
  }
  return { width: part.widthPx, height: part.heightPx, data: new Uint8Array(data.buffer) }
}

/** The part's channels, each the mean of 3×3 pixels weighted 1, 2, 1 both ways; the part's edges are repeated. */
function smoothed({ width, data }: RgbImage, { xPx, yPx, widthPx, heightPx }: ImagePart): Float32Array {
  const line = widthPx * 3
  const across = new Float32Array(line * heightPx)
  for (let y = 0; y < heightPx; y++) {
    const from = ((yPx + y) * width + xPx) * 3
    for (let i = 0; i < line; i++) {
      const before = i >= 3 ? i - 3 : i
      const after = i + 3 < line ? i + 3 : i
      across[y * line + i] =
        ((data[from + before] ?? 0) + 2 * (data[from + i] ?? 0) + (data[from + after] ?? 0)) / 4
    }
  }
  const smooth = new Float32Array(across.length)
  for (let y = 0; y < heightPx; y++) {
    const [above, own, below] = [Math.max(0, y - 1) * line, y * line, Math.min(heightPx - 1, y + 1) * line]
    for (let i = 0; i < line; i++)
      smooth[own + i] = ((across[above + i] ?? 0) + 2 * (across[own + i] ?? 0) + (across[below + i] ?? 0)) / 4
  }
  return smooth
}

const wholeOf = ({ width, height }: RgbImage): ImagePart => ({
  ...{ xPx: 0, yPx: 0, widthPx: width, heightPx: height },
})

/** ITU-R BT.601. */
const lumaOf = (data: Uint8Array | Float32Array, at: number) =>
  0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0)

/** Number of pixels per rounded luma value, on an even grid over the part. */
function lumaHistogram({ width, data }: RgbImage, { xPx, yPx, widthPx, heightPx }: ImagePart) {
  const step = Math.max(1, Math.floor(Math.sqrt((widthPx * heightPx) / sampledPixels)))
  const counts = new Uint32Array(256)
  let total = 0
  for (let y = yPx + (step >> 1); y < yPx + heightPx; y += step)
    for (let x = xPx + (step >> 1); x < xPx + widthPx; x += step, total++) {
      const luma = Math.round(lumaOf(data, (y * width + x) * 3))
      counts[luma] = (counts[luma] ?? 0) + 1
    }
  return { counts, total }
}

/** The luma that at least `rank` pixels do not exceed. */
function lumaAt(counts: Uint32Array, rank: number): number {
  let below = 0
  for (const [luma, count] of counts.entries()) {
    below += count
    if (below >= rank && below > 0) return luma
  }
  return counts.length - 1
}
