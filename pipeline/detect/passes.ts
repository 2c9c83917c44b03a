/** One run of the detector: a part of the image, scaled into the canvas's top left corner. */
export interface DetectionPass {
  /** The part of the image that the pass covers, px of that image. */
  readonly xPx: number
  readonly yPx: number
  readonly widthPx: number
  readonly heightPx: number
  /** Canvas pixels per image pixel, at most 1. */
  readonly scale: number
  /** Larger faces (height in px of that image) are left to the pass over the whole image. */
  readonly largestFacePx: number
}

export interface Canvas {
  readonly canvasWidthPx: number
  readonly canvasHeightPx: number
  readonly minFacePx: number
  readonly maxFacePx: number
}

/** Faces are at most this many times as high as wide. It limits the height of a face in a frame. */
const faceAspect = 1.4

/** The scale at which faces of `wantedFacePx` in the source are just large enough for the detector. */
export function neededScale(canvas: Canvas, wantedFacePx: number): number {
  return canvas.minFacePx / wantedFacePx
}

/**
 * The passes that find every face from `wantedFacePx` (in image pixels) up to the size of the image:
 * - one pass over the whole image,
 * - tiles at the scale that small faces need; they overlap by the largest face that only tiles can see,
 * - a smaller copy of the whole image, if a face could be larger than the detector's limit.
 */
export function planPasses(
  image: { readonly width: number; readonly height: number },
  canvas: Canvas,
  wantedFacePx: number,
): DetectionPass[] {
  const { width, height } = image
  const fit = Math.min(1, canvas.canvasWidthPx / width, canvas.canvasHeightPx / height)
  const whole: DetectionPass = {
    ...{ xPx: 0, yPx: 0, widthPx: width, heightPx: height, scale: fit },
    largestFacePx: Infinity,
  }
  const passes = [whole]
  const highestPx = Math.min(height, width * faceAspect) * fit
  if (highestPx > canvas.maxFacePx) passes.push({ ...whole, scale: (fit * canvas.maxFacePx) / highestPx })
  const tileScale = Math.min(1, neededScale(canvas, wantedFacePx))
  if (tileScale > fit * tileSlack) {
    const smallestOfWholePx = canvas.minFacePx / fit
    const columns = tileStarts(width, canvas.canvasWidthPx / tileScale, smallestOfWholePx)
    const rows = tileStarts(height, canvas.canvasHeightPx / tileScale, smallestOfWholePx)
    const tile = {
      ...{ widthPx: columns.lengthPx, heightPx: rows.lengthPx, scale: tileScale },
      largestFacePx: smallestOfWholePx * tileMargin,
    }
    for (const yPx of rows.starts) for (const xPx of columns.starts) passes.push({ ...tile, xPx, yPx })
  }
  return passes
}

/**
 * Tiles add faces up to this many times the smallest face that the whole-image pass sees. A larger box in a tile is a
 * part of a larger face (an eye, a mouth), or the whole image shows that face as well.
 */
const tileMargin = 1.5

/**
 * If the whole-image pass is this close to the needed scale, no tiles are added: the faces that it may miss are 5 %
 * smaller.
 */
const tileSlack = 1.05

/** Evenly spaced tiles of at most `tilePx` that cover `lengthPx` and overlap by at least `overlapPx`. */
function tileStarts(
  lengthPx: number,
  tilePx: number,
  overlapPx: number,
): { starts: number[]; lengthPx: number } {
  const tile = Math.min(lengthPx, Math.floor(tilePx))
  if (tile >= lengthPx) return { starts: [0], lengthPx }
  // At most half a tile overlaps, so that a step remains.
  const step = Math.max(tile - overlapPx, tile / 2)
  const count = Math.ceil((lengthPx - tile) / step) + 1
  const starts = Array.from({ length: count }, (_, i) => Math.round((i * (lengthPx - tile)) / (count - 1)))
  return { starts, lengthPx: tile }
}
