import type { InputInfo } from './ffmpeg-log.js'
import { firstVideo } from './ffmpeg-log.js'
import { isCuttableContainer } from './formats.js'
import type { DetectionRule, SizePx } from './image-sizes.js'
import { displaySize, frameSizes } from './image-sizes.js'

export interface ClipInfo {
  /** Size of the full images: as displayed (rotated, square pixels), after the cap at 4K. */
  readonly widthPx: number
  readonly heightPx: number
  /** Displayed size before the cap. */
  readonly sourceWidthPx: number
  readonly sourceHeightPx: number
  /** As the container states it; undefined where it does not: see `probeDurationS`. */
  readonly durationS: number | undefined
  /** The stated duration is ffmpeg's guess from the file's size and bit rate. */
  readonly durationEstimated: boolean
  /** May be decoded in segments with `seek: 'fast'`: a container shown to allow it, of known duration. */
  readonly cuttable: boolean
  readonly codec: string
  readonly frameRate: number | undefined
  /** ffmpeg's name, e.g. `mov,mp4,m4a,3gp,3g2,mj2`. */
  readonly container: string
}

/** Without `displayed` (a range without frames) the size is the one that the container states. */
export function clipInfo(input: InputInfo, rule: DetectionRule, displayed?: SizePx): ClipInfo {
  const video = firstVideo(input.streams)
  const source = displayed ?? statedSize(video)
  const { full } = frameSizes(source, rule)
  return {
    widthPx: full.width,
    heightPx: full.height,
    sourceWidthPx: source.width,
    sourceHeightPx: source.height,
    durationS: input.durationS,
    durationEstimated: input.durationEstimated,
    cuttable:
      isCuttableContainer(input.container) && input.durationS !== undefined && !input.durationEstimated,
    codec: video?.codec ?? 'unknown',
    frameRate: video?.frameRate,
    container: input.container,
  }
}

function statedSize(video: ReturnType<typeof firstVideo>): SizePx {
  if (video?.size === undefined) return { width: 1, height: 1 }
  const { width, height } = displaySize(video.size, video.sampleAspectRatio)
  const isOnItsSide = Math.abs(video.rotation) % 180 === 90
  return isOnItsSide
    ? displaySize({ width: video.size.height, height: video.size.width }, 1 / video.sampleAspectRatio)
    : { width, height }
}
