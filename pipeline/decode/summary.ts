import type { InputInfo } from './ffmpeg-log.js'
import type { Sampling } from './sampling.js'

export interface DecodeSummary {
  readonly frames: number
  readonly lastTimeS: number | undefined
  /** The range, or the clip, was decoded to its end; false where the reader left early. */
  readonly endReached: boolean
  /** The file is cut off or damaged: what could be decoded was delivered. */
  readonly truncated: boolean
  /** Why `truncated`, for a person. */
  readonly reason?: string
}

/** ffmpeg's words for a file that ends too early. In MPEG-TS "Packet corrupt" is only a lost packet. */
const cutOffSign = /partial file|ended prematurely|Truncat|^\[(?!mpegts)[^\]]*\] Packet corrupt/

export function isCutOffSign(text: string): boolean {
  return cutOffSign.test(text)
}

/** The longest end of a clip that may lie after its last sample: the sampling step and a still last frame. */
const tailS = { fps: 2, keyframes: 20 } as const

/** Audio often outlasts the video, by little: only a large part missing shows a file that was cut off. */
const missingPart = { fps: 0.1, keyframes: 0.5 } as const

export function summarize(
  run: { readonly cutOffSign: string | undefined; readonly input: InputInfo | undefined },
  request: { readonly sampling: Sampling; readonly endS: number },
  {
    frames,
    lastTimeS,
    fileBytes,
  }: {
    readonly frames: number
    readonly lastTimeS: number | undefined
    /** Undefined where the clip is no regular file. */
    readonly fileBytes?: number | undefined
  },
): DecodeSummary {
  const said = run.cutOffSign === undefined ? undefined : `the file is cut off (ffmpeg: ${run.cutOffSign})`
  const reason =
    said ?? missingEnd(run.input?.durationS, request, lastTimeS) ?? cutPacket(run.input?.container, fileBytes)
  const done = { frames, lastTimeS, endReached: true }
  return reason === undefined ? { ...done, truncated: false } : { ...done, truncated: true, reason }
}

function missingEnd(
  durationS: number | undefined,
  { sampling, endS }: { readonly sampling: Sampling; readonly endS: number },
  lastTimeS: number | undefined,
): string | undefined {
  if (durationS === undefined || lastTimeS === undefined) return undefined
  const end = Math.min(durationS, endS)
  const step = sampling.kind === 'fps' ? 1 / sampling.fps : 0
  const missing = end - lastTimeS - step
  if (missing <= tailS[sampling.kind] || missing <= missingPart[sampling.kind] * durationS) return undefined
  return `the video ends at ${lastTimeS.toFixed(1)} s of the stated ${durationS.toFixed(1)} s`
}

/** Packets of MPEG transport streams: plain, with time codes (M2TS), with error correction. */
const transportPacketBytes = [188, 192, 204]

/** A transport stream states no end, but it is made of whole packets. */
function cutPacket(container: string | undefined, fileBytes: number | undefined): string | undefined {
  if (container !== 'mpegts' || fileBytes === undefined) return undefined
  if (transportPacketBytes.some((length) => fileBytes % length === 0)) return undefined
  return 'the file ends in the middle of a packet of its transport stream'
}
