import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import type { ClipInfo } from '../../pipeline/decode/clip-info.js'
import { openFrames } from '../../pipeline/decode/frames.js'
import type { DecodedFrame, DecodeRequest } from '../../pipeline/decode/decode-request.js'
import type { DecodeSummary } from '../../pipeline/decode/summary.js'
import type { errorCodes } from '../../pipeline/common/errors.js'
import type { RgbImage } from '../../pipeline/data/image.js'

/** A whole clip at 4 frames per second, with a detection image of a third of the size for the small test clips. */
export function request(path: string, changes: Partial<DecodeRequest> = {}): DecodeRequest {
  return {
    path,
    sampling: { kind: 'fps', fps: 4 },
    startS: 0,
    endS: Infinity,
    seek: 'fast',
    detection: { canvasWidthPx: 32, canvasHeightPx: 24, neededScale: 0.35 },
    stallTimeoutS: 20,
    ...changes,
  }
}

export interface Decoded<T> {
  readonly info: ClipInfo
  readonly frames: readonly T[]
  readonly summary: DecodeSummary
}

/**
 * Decodes to the end and stores the result of `keep` for every frame, because the frames' own pixels do not last. It
 * awaits the description first, as the pipeline does.
 */
export async function decode<T>(job: DecodeRequest, keep: (frame: DecodedFrame) => T): Promise<Decoded<T>> {
  const handle = openFrames(job)
  const info = await handle.info
  const frames: T[] = []
  for await (const frame of handle.frames) frames.push(keep(frame))
  return { info, frames, summary: await handle.summary }
}

export const timeOf = (frame: DecodedFrame): number => Number(frame.timeS.toFixed(4))

/** Time and a digest of both images. */
export function fingerprint({ timeS, full, detection }: DecodedFrame): string {
  const digest = createHash('sha256').update(full.data).update(detection.data).digest('hex')
  return `${timeS.toFixed(6)} ${full.width}×${full.height} ${detection.width}×${detection.height} ${digest.slice(0, 16)}`
}

/** Mean of the three channels at a pixel. */
export function greyAt({ width, data }: RgbImage, x: number, y: number): number {
  const at = (y * width + x) * 3
  return ((data[at] ?? 0) + (data[at + 1] ?? 0) + (data[at + 2] ?? 0)) / 3
}

/** Command names of the current child processes of this process. Linux. */
export function childProcesses(): string[] {
  const children: string[] = []
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    try {
      const status = readFileSync(`/proc/${entry}/stat`, 'utf8')
      const fields = /^\d+ \((.*)\) (\S) (\d+)/s.exec(status)
      if (Number(fields?.[3]) === process.pid && fields?.[2] !== 'Z') children.push(fields?.[1] ?? '')
    } catch {
      // the process has ended meanwhile
    }
  }
  return children
}

/** For assert.rejects: a CameoError with this code and the clip's name in its message. */
export function codeOf(code: keyof typeof errorCodes, named?: string): (error: unknown) => boolean {
  return (error) => {
    if (!(error instanceof Error) || !('code' in error)) return false
    return error.code === code && (named === undefined || error.message.includes(named))
  }
}
