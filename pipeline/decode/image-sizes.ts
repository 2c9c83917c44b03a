/** Width and height in pixels. */
export interface SizePx {
  readonly width: number
  readonly height: number
}

/**
 * How large an image the detector needs. The detection stage splits an image that is larger than its canvas into tiles.
 */
export interface DetectionRule {
  /** The detector's input, for example 320×240. */
  readonly canvasWidthPx: number
  readonly canvasHeightPx: number
  /** Smallest face the detector sees, divided by the smallest wanted face in source pixels: 14 / 40 = 0.35. */
  readonly neededScale: number
}

/** The two images of a frame; `detection` equals `full` if the detector needs every pixel. */
export interface FrameSizes {
  readonly full: SizePx
  readonly detection: SizePx
}

/** Above 4K, a face has more pixels than any embedder uses: larger frames are scaled down to this area. */
export const maxFullAreaPx = 3840 * 2160

/** Frames above this area are refused: one RGB frame would be 200 MB. */
export const maxSourceAreaPx = 8192 * 8192

/** The displayed size of a frame: the width is stretched so that pixels are square, as players do. */
export function displaySize(coded: SizePx, sampleAspectRatio: number): SizePx {
  return { width: Math.max(1, Math.round(coded.width * sampleAspectRatio)), height: coded.height }
}

/**
 * Size of the detection image divided by the size of the displayed source: the whole frame fills the canvas at least,
 * but it is never enlarged.
 */
function detectionScale(source: SizePx, rule: DetectionRule): number {
  const fit = Math.min(rule.canvasWidthPx / source.width, rule.canvasHeightPx / source.height)
  return Math.min(1, Math.max(rule.neededScale, fit))
}

/** Sizes of both images for a displayed source size (rotated, square pixels). */
export function frameSizes(source: SizePx, rule: DetectionRule): FrameSizes {
  const cap = Math.min(1, Math.sqrt(maxFullAreaPx / (source.width * source.height)))
  const full = {
    width: Math.max(1, Math.floor(source.width * cap)),
    height: Math.max(1, Math.floor(source.height * cap)),
  }
  const scale = detectionScale(source, rule)
  if (scale >= cap) return { full, detection: full }
  return {
    full,
    detection: {
      width: Math.max(1, Math.round(source.width * scale)),
      height: Math.max(1, Math.round(source.height * scale)),
    },
  }
}

/** A growth up to this factor is a rounding. */
const growthTolerance = 1.01

/**
 * The size that all frames are fitted into after a change of size: it has the shape of the first size and is so large
 * that the other need not shrink.
 */
export function sizeForBoth(first: SizePx, other: SizePx): SizePx {
  const scale = Math.max(other.width / first.width, other.height / first.height)
  const within = Math.min(scale, Math.sqrt(maxSourceAreaPx / (first.width * first.height)))
  if (within <= growthTolerance) return first
  return { width: Math.round(first.width * within), height: Math.round(first.height * within) }
}

/** True if the detector uses the full image and no second one is made. */
export function sharesFullImage({ full, detection }: FrameSizes): boolean {
  return full === detection
}

export interface SizeExpressions {
  /** For a scale filter on the source frame. */
  readonly fullWidth: string
  readonly fullHeight: string
  readonly detectionWidth: string
  readonly detectionHeight: string
  /** For a filter on the full image: rows that the detection image needs below it; 0 if there is none. */
  readonly rowsBelow: string
}

/**
 * `frameSizes` in ffmpeg's expression language, so that one ffmpeg process can start before the source's size is known.
 * It uses the same arithmetic, operation by operation (doubles, rounding half up), so both give the same integers.
 * Sources above `maxFullAreaPx` are not covered; they are decoded with fixed sizes.
 */
export function sizeExpressions(rule: DetectionRule): SizeExpressions {
  const sourceWidth = 'max(1,round(iw*sar))'
  const scaleOf = (width: string) =>
    `min(1,max(${rule.neededScale},min(${rule.canvasWidthPx}/${width},${rule.canvasHeightPx}/ih)))`
  const scale = scaleOf(sourceWidth)
  const rounded = (length: string, by: string) => `max(1,round(${length}*${by}))`
  return {
    fullWidth: sourceWidth,
    fullHeight: 'ih',
    // If the detector uses the full image, the second one is a single pixel that falls outside the frame.
    detectionWidth: `if(gte(${scale},1),1,${rounded(sourceWidth, scale)})`,
    detectionHeight: `if(gte(${scale},1),1,${rounded('ih', scale)})`,
    rowsBelow: `if(gte(${scaleOf('iw')},1),0,${rounded('ih', scaleOf('iw'))})`,
  }
}
