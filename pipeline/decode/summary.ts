import type { Sampling } from './sampling.js'

export interface DecodeSummary {
  readonly frames: number
  readonly lastTimeS: number | undefined
  /** The file is cut off or damaged, and only its decodable part was returned. False if the reader stopped early. */
  readonly truncated: boolean
}

/**
 * What an earlier run found in a clip. A run over the rest of the clip receives it, so that the final result equals
 * that of one run over the whole clip.
 */
export interface DecodedBefore {
  /** Longest distance between consecutive frames, s. */
  readonly longestGapS: number
  /** ffmpeg printed a message that is typical of a cut-off file. */
  readonly isCutOff: boolean
  /** Stretches that could not be decoded, in order, s. Absent if there are none. */
  readonly gapsS?: readonly (readonly [startS: number, endS: number])[] | undefined
}

/**
 * ffmpeg's messages about a file that ends too early. In MPEG-TS, "Packet corrupt" means only a lost packet; in
 * filmstrips, the header at the end. Other text may come first: see `FfmpegLogReader`.
 */
const cutOffSign = /partial file|ended prematurely|Truncat|^\[(?!mpegts|filmstrip)[^\]]*\] .*Packet corrupt/

export function isCutOffSign(text: string): boolean {
  return cutOffSign.test(text)
}

/** The longest normal distance from the last sample to the end of a clip: the sampling step and a still last frame. */
const tailS = { fps: 2, keyframes: 20 } as const

/** Audio often lasts a little longer than the video. Only a large missing part shows that a file was cut off. */
const missingPart = { fps: 0.1, keyframes: 0.5 } as const

export function summarize(
  run: {
    readonly isCutOff: boolean
    readonly container: string | undefined
    /** As the container states it; undefined if it is not reliable. */
    readonly durationS: number | undefined
  },
  request: { readonly sampling: Sampling; readonly endS: number },
  {
    frames,
    lastTimeS,
    longestGapS = 0,
    lacksEnd = false,
  }: {
    readonly frames: number
    readonly lastTimeS: number | undefined
    /** Longest distance between consecutive frames, s. */
    readonly longestGapS?: number
    /** According to the container, the file's end is missing. */
    readonly lacksEnd?: boolean
  },
): DecodeSummary {
  const truncated = run.isCutOff || lacksEnd || missesEnd(run, request, lastTimeS, longestGapS)
  return { frames, lastTimeS, truncated }
}

/** Animations may show their last picture for any length of time. */
const restsOnLastFrame = new Set(['gif', 'apng'])

function missesEnd(
  {
    container = '',
    durationS,
  }: { readonly container: string | undefined; readonly durationS: number | undefined },
  { sampling, endS }: { readonly sampling: Sampling; readonly endS: number },
  lastTimeS: number | undefined,
  longestGapS: number,
): boolean {
  if (durationS === undefined || lastTimeS === undefined || restsOnLastFrame.has(container)) return false
  const end = Math.min(durationS, endS)
  // In a slide show, the last picture is shown as long as the ones before it.
  const step = Math.max(longestGapS, sampling.kind === 'fps' ? 1 / sampling.fps : 0)
  const missing = end - lastTimeS - step
  return missing > tailS[sampling.kind] && missing > missingPart[sampling.kind] * durationS
}
