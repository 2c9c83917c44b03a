import type { Sampling } from './sampling.js'

export interface DecodeSummary {
  readonly frames: number
  readonly lastTimeS: number | undefined
  /** The file is cut off or damaged: what could be decoded was delivered. False where the reader left early. */
  readonly truncated: boolean
}

/**
 * What was met in a clip so far. A run over the rest of it is told, so that in the end it says what one run over all of it would.
 */
export interface DecodedBefore {
  /** Between two frames that follow each other. */
  readonly longestGapS: number
  /** ffmpeg said something that a cut-off file makes it say. */
  readonly isCutOff: boolean
  /** What could not be decoded, in order, s. Absent where that is nothing. */
  readonly gapsS?: readonly (readonly [startS: number, endS: number])[] | undefined
}

/** ffmpeg's words for a file that ends too early. In MPEG-TS "Packet corrupt" is only a lost packet, in filmstrips the header at the end. Other words may precede: see `FfmpegLogReader`. */
const cutOffSign = /partial file|ended prematurely|Truncat|^\[(?!mpegts|filmstrip)[^\]]*\] .*Packet corrupt/

export function isCutOffSign(text: string): boolean {
  return cutOffSign.test(text)
}

/** The longest end of a clip that may lie after its last sample: the sampling step and a still last frame. */
const tailS = { fps: 2, keyframes: 20 } as const

/** Audio often outlasts the video, by little: only a large part missing shows a file that was cut off. */
const missingPart = { fps: 0.1, keyframes: 0.5 } as const

export function summarize(
  run: {
    readonly isCutOff: boolean
    readonly container: string | undefined
    /** As the container states it, where it can be believed. */
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
    /** Between two frames that follow each other. */
    readonly longestGapS?: number
    /** By what the container says of its file. */
    readonly lacksEnd?: boolean
  },
): DecodeSummary {
  const truncated = run.isCutOff || lacksEnd || missesEnd(run, request, lastTimeS, longestGapS)
  return { frames, lastTimeS, truncated }
}

/** Animations may show their last picture as long as they like. */
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
  // In a slide show the last picture stands as long as those before it.
  const step = Math.max(longestGapS, sampling.kind === 'fps' ? 1 / sampling.fps : 0)
  const missing = end - lastTimeS - step
  return missing > tailS[sampling.kind] && missing > missingPart[sampling.kind] * durationS
}
