/** One run of the detector: a part of the image, scaled onto the canvas's top left corner. */
export interface DetectionPass {
  /** The part of the image that is looked at, px of that image. */
  readonly xPx: number
  readonly yPx: number
  readonly widthPx: number
  readonly heightPx: number
  /** Canvas pixels an image pixel, at most 1. */
  readonly scale: number
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
  const whole: DetectionPass = { xPx: 0, yPx: 0, widthPx: width, heightPx: height, scale: fit }
  const passes = [whole]
  const largestFacePx = Math.min(height, width * faceAspect) * fit
  if (largestFacePx > canvas.maxFacePx)
    passes.push({ ...whole, scale: (fit * canvas.maxFacePx) / largestFacePx })
  const tileScale = Math.min(1, neededScale(canvas, wantedFacePx))
  if (tileScale > fit * tileSlack) {
    const overlapPx = canvas.minFacePx / fit
    const columns = tileStarts(width, canvas.canvasWidthPx / tileScale, overlapPx)
    const rows = tileStarts(height, canvas.canvasHeightPx / tileScale, overlapPx)
    for (const yPx of rows.starts)
      for (const xPx of columns.starts)
        passes.push({ xPx, yPx, widthPx: columns.lengthPx, heightPx: rows.lengthPx, scale: tileScale })
  }
  return passes
}

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
