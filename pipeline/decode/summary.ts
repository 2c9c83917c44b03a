import type { InputInfo } from './ffmpeg-log.js'
import type { Sampling } from './sampling.js'

export interface DecodeSummary {
  readonly frames: number
  readonly lastTimeS: number | undefined
  /** The file is cut off or damaged: what could be decoded was delivered. False where the reader left early. */
  readonly truncated: boolean
}

/** ffmpeg's words for a file that ends too early. In MPEG-TS "Packet corrupt" is only a lost packet, in filmstrips the header at the end. */
const cutOffSign = /partial file|ended prematurely|Truncat|^\[(?!mpegts|filmstrip)[^\]]*\] Packet corrupt/

export function isCutOffSign(text: string): boolean {
  return cutOffSign.test(text)
}

/** The longest end of a clip that may lie after its last sample: the sampling step and a still last frame. */
const tailS = { fps: 2, keyframes: 20 } as const

/** Audio often outlasts the video, by little: only a large part missing shows a file that was cut off. */
const missingPart = { fps: 0.1, keyframes: 0.5 } as const

export function summarize(
  run: { readonly isCutOff: boolean; readonly input: InputInfo | undefined },
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
  const truncated =
    run.isCutOff ||
    missesEnd(run.input?.durationS, request, lastTimeS) ||
    endsInPacket(run.input?.container, fileBytes)
  return { frames, lastTimeS, truncated }
}

function missesEnd(
  durationS: number | undefined,
  { sampling, endS }: { readonly sampling: Sampling; readonly endS: number },
  lastTimeS: number | undefined,
): boolean {
  if (durationS === undefined || lastTimeS === undefined) return false
  const end = Math.min(durationS, endS)
  const step = sampling.kind === 'fps' ? 1 / sampling.fps : 0
  const missing = end - lastTimeS - step
  return missing > tailS[sampling.kind] && missing > missingPart[sampling.kind] * durationS
}

/** Packets of MPEG transport streams: plain, with time codes (M2TS), with error correction. */
const transportPacketBytes = [188, 192, 204]

/** A transport stream states no end, but it is made of whole packets. */
function endsInPacket(container: string | undefined, fileBytes: number | undefined): boolean {
  if (container !== 'mpegts' || fileBytes === undefined) return false
  return transportPacketBytes.every((length) => fileBytes % length !== 0)
}
