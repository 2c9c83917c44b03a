import type { SizePx } from './image-sizes.js'

/** One stream of the input, as ffmpeg's dump describes it. */
export interface StreamInfo {
  readonly index: number
  readonly type: string
  /** `none` if ffmpeg does not know it. */
  readonly codec: string
  /** ffmpeg's name, such as `yuv420p`; undefined for sound, and if ffmpeg does not know it. */
  readonly pixelFormat?: string
  /** Coded size; undefined if ffmpeg could not determine it. */
  readonly size: SizePx | undefined
  readonly sampleAspectRatio: number
  readonly frameRate: number | undefined
  readonly isDefault: boolean
  readonly isCover: boolean
  /** Degrees, counter-clockwise, from the display matrix. */
  readonly rotation: number
}

/** `Stream #0:0[0x1](und): Video: h264 (High) (avc1 / 0x31637661), yuv420p, 320x240 [SAR 1:1 DAR 4:3], … 25 fps, …` */
export function parseStream(text: string): StreamInfo | undefined {
  const head = /^ {2,4}Stream #0:(\d+)(?:\[0x[0-9a-f]+\])?(?:\([^)]*\))?: (\w+): (\S+?)(?:,| |$)(.*)$/.exec(
    text,
  )
  if (head === null) return undefined
  const [, index, type = '', codec = '', details = ''] = head
  const size = /, (\d+)x(\d+)(?: \[SAR (\d+):(\d+) DAR)?/.exec(details)
  // If the container disagrees with the codec, the container's ratio follows and wins.
  const containerRatio = /, SAR (\d+):(\d+) DAR/.exec(details)
  const pixelFormat = /(?:^|,) ?([a-z]\w*)(?:\([^)]*\))?, \d+x\d+/.exec(details)?.[1]
  const frameRate = /, ([\d.]+) fps/.exec(details)?.[1]
  return {
    index: Number(index),
    type,
    codec,
    ...(pixelFormat === undefined ? {} : { pixelFormat }),
    size: size === null ? undefined : { width: Number(size[1]), height: Number(size[2]) },
    sampleAspectRatio:
      containerRatio === null ? ratio(size?.[3], size?.[4]) : ratio(containerRatio[1], containerRatio[2]),
    frameRate: frameRate === undefined ? undefined : Number(frameRate),
    isDefault: details.includes('(default)'),
    isCover: /\((attached pic|timed thumbnails|still image)\)/.test(details),
    rotation: 0,
  }
}

/** Unknown ratios (0:1) count as square. */
export function ratio(numerator: string | undefined, denominator: string | undefined): number {
  const value = Number(numerator) / Number(denominator)
  return Number.isFinite(value) && value > 0 ? value : 1
}
