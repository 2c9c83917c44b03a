import type { MpegClock } from './clock.js'
import type { InputInfo } from './ffmpeg-log.js'
import { filmOf, type FilmChoice } from './film-stream.js'
import { isCuttableContainer } from './formats.js'
import type { DetectionRule, SizePx } from './image-sizes.js'
import { displaySize, frameSizes } from './image-sizes.js'
import type { StreamInfo } from './stream-info.js'

export interface ClipInfo {
  /**
   * Size of the full images: as displayed (rotated, square pixels), after the cap at 4K. If the size changes within the
   * clip, the first size.
   */
  readonly widthPx: number
  readonly heightPx: number
  /** Displayed size before the cap. */
  readonly sourceWidthPx: number
  readonly sourceHeightPx: number
  /** As the container states it; undefined if it does not state one: see `probeDurationS`. */
  readonly durationS: number | undefined
  /** The stated duration is ffmpeg's guess from the file's size and bit rate. */
  readonly durationEstimated: boolean
  /**
   * Whether it may be decoded in segments with `seek: 'fast'`: its duration is known and its container is known to
   * allow that.
   */
  readonly cuttable: boolean
  readonly codec: string
  readonly frameRate: number | undefined
  /** ffmpeg's name, e.g. `mov,mp4,m4a,3gp,3g2,mj2`. */
  readonly container: string
  /** ffmpeg's number of the film's stream, if there are several video streams. */
  readonly stream?: number
  /** Sentences about parts of the clip that are not processed. Absent if there are none. */
  readonly leftOut?: readonly string[]
}

/** What `clipInfo` uses in addition to ffmpeg's description. */
export interface InfoSources {
  readonly rule: DetectionRule
  /** Set if there are several video streams. */
  readonly film?: FilmChoice | undefined
  /**
   * Of an MPEG stream. If the clock is not steady, the duration that the file states belongs to only one of its
   * recordings.
   */
  readonly clock?: MpegClock | undefined
}

/** Describes a clip. Without `displayed` (a range without frames), the size is the one that the container states. */
export function clipInfo(input: InputInfo, { rule, film, clock }: InfoSources, displayed?: SizePx): ClipInfo {
  const video = filmOf(input.streams, film?.stream)
  const source = sourceSize(video, displayed)
  const { full } = frameSizes(source, rule)
  const durationS = clock?.isSteady === false ? undefined : input.durationS
  return {
    widthPx: full.width,
    heightPx: full.height,
    sourceWidthPx: source.width,
    sourceHeightPx: source.height,
    durationS,
    durationEstimated: input.durationEstimated,
    cuttable: isCuttableContainer(input.container) && durationS !== undefined && !input.durationEstimated,
    codec: video?.codec ?? 'unknown',
    frameRate: video?.frameRate,
    container: input.container,
    ...(film === undefined ? {} : film),
  }
}

/** Shapes that differ by less than this are the same, apart from rounding. */
const sameShape = 0.02

/**
 * The size that boxes refer to. If the size changes within a clip, it is the size that the container states, so that
 * every segment uses the same one.
 */
function sourceSize(video: StreamInfo | undefined, displayed: SizePx | undefined): SizePx {
  const stated = statedSize(video)
  if (displayed === undefined) return stated ?? { width: 1, height: 1 }
  if (stated === undefined) return displayed
  const isSameShape =
    Math.abs((displayed.width * stated.height) / (displayed.height * stated.width) - 1) < sameShape
  return isSameShape ? stated : displayed
}

function statedSize(video: StreamInfo | undefined): SizePx | undefined {
  if (video?.size === undefined) return undefined
  const isOnItsSide = Math.abs(video.rotation) % 180 === 90
  return isOnItsSide
    ? displaySize({ width: video.size.height, height: video.size.width }, 1 / video.sampleAspectRatio)
    : displaySize(video.size, video.sampleAspectRatio)
}
