/** One run of the detector: a part of the image, scaled onto the canvas's top left corner. */
export interface DetectionPass {
  /** The part of the image that is looked at, px of that image. */
  readonly xPx: number
  readonly yPx: number
  readonly widthPx: number
  readonly heightPx: number
  /** Canvas pixels an image pixel, at most 1. */
  readonly scale: number
  /** Larger faces (their height, px of that image) are left to the pass over the whole image. */
  readonly largestFacePx: number
}

export interface Canvas {
  readonly canvasWidthPx: number
  readonly canvasHeightPx: number
  readonly minFacePx: number
  readonly maxFacePx: number
}

/** Faces are at most this much higher than wide: so high is the largest face that a frame can hold. */
const faceAspect = 1.4

/** The scale at which faces of `wantedFacePx` in the source are just large enough for the detector. */
export function neededScale(canvas: Canvas, wantedFacePx: number): number {
  return canvas.minFacePx / wantedFacePx
}

/**
 * The passes that find every face from `wantedFacePx` (in image pixels) up to the whole image: one over the whole image;
 * tiles at the scale that small faces need, overlapping by the largest face that only they can see; and a smaller copy
 * of the whole image where a face could be larger than the detector knows.
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
 * Up to so many times the smallest face that the pass over the whole image sees, tiles add theirs: what they find beyond
 * is a part of a larger face, such as an eye or a mouth, or the whole image shows it as well.
 */
const tileMargin = 1.5

/** A whole-image pass this close to the needed scale needs no tiles beside it: the faces at stake are 5 % smaller. */
const tileSlack = 1.05

/** Evenly spread tiles of at most `tilePx` that cover `lengthPx` and overlap by at least `overlapPx`. */
function tileStarts(
  lengthPx: number,
  tilePx: number,
  overlapPx: number,
): { starts: number[]; lengthPx: number } {
  const tile = Math.min(lengthPx, Math.floor(tilePx))
  if (tile >= lengthPx) return { starts: [0], lengthPx }
  // An overlap of half a tile at the most, so that a step remains.
  const step = Math.max(tile - overlapPx, tile / 2)
  const count = Math.ceil((lengthPx - tile) / step) + 1
  const starts = Array.from({ length: count }, (_, i) => Math.round((i * (lengthPx - tile)) / (count - 1)))
  return { starts, lengthPx: tile }
}
