import { existsSync, mkdirSync } from 'node:fs'
import { basename, extname, join } from 'node:path'
import { CameoError, messageOf } from '../../pipeline/common/errors.js'
import { throwIfStopped } from '../../pipeline/common/stop.js'
import { clipName } from '../../pipeline/common/display-name.js'
import { formatTime } from '../../pipeline/common/time-text.js'
import { cutClip, extensionOfCut } from '../../pipeline/decode/cut-clip.js'
import { isUrl } from '../store/whole-path.js'
import type { EditHit } from './hits.js'

export interface CutRequest {
  readonly hits: readonly EditHit[]
  /** Folder that the clips are written into; made where it is not there. */
  readonly out: string
  /** Encode anew, to begin at the very frame. Default: copy packets from the key frame before. */
  readonly exact?: boolean
  /** So much more before and after each hit, s. Default: 0. */
  readonly handlesS?: number
  /** Replace files that are there. Default: false. */
  readonly overwrite?: boolean
  readonly signal?: AbortSignal | undefined
}

/** What became of one hit. */
export type CutResult = { readonly hit: EditHit } & (
  { readonly file: string; readonly error?: undefined } | { readonly error: CameoError }
)

/** The last frame in which a person was seen is shown for so long: looked at are four frames a second by default. */
const lastFrameS = 0.25

/**
 * Writes each hit as a clip of its own, and tells each as it is done. One that fails leaves the others alone.
 * @throws USAGE where the folder cannot be made; INTERRUPTED; FFMPEG_MISSING
 */
export async function cutHits(request: CutRequest, onResult: (result: CutResult) => void): Promise<void> {
  const { hits, out, signal } = request
  try {
    mkdirSync(out, { recursive: true })
  } catch (cause) {
    throw new CameoError('USAGE', `the folder ${out} cannot be made (${messageOf(cause)})`, { cause })
  }
  for (const [index, hit] of hits.entries()) {
    throwIfStopped(signal, 'the cutting')
    try {
      onResult({ hit, file: await cutHit(hit, index + 1, request) })
    } catch (error) {
      if (!(error instanceof CameoError) || ['INTERRUPTED', 'FFMPEG_MISSING'].includes(error.code))
        throw error
      onResult({ hit, error })
    }
  }
}

async function cutHit(hit: EditHit, count: number, request: CutRequest): Promise<string> {
  const { out, exact = false, handlesS = 0, overwrite = false, signal } = request
  const { path, durationS = Infinity } = hit
  if (isUrl(path))
    throw new CameoError('CLIP_GONE', `${clipName(path)} is not on this machine: fetch it, and ingest the file`) // prettier-ignore
  const startS = Math.max(0, hit.startS - handlesS)
  const endS = Math.max(startS + lastFrameS, Math.min(durationS, hit.endS + lastFrameS + handlesS))
  const target = join(out, `${cutName(hit, count)}${extensionOfCut(path, exact)}`)
  if (!overwrite && existsSync(target))
    throw new CameoError('USAGE', `${target} is there already: remove it, choose another folder, or replace it`) // prettier-ignore
  await cutClip({ path, startS, endS, isExact: exact, target, signal })
  return target
}

/** `001 party 0m12.5s Ada`: where it comes in the answer, the file, the time and the person, as any file system takes it. */
export function cutName({ path, startS, person }: EditHit, count: number): string {
  const time = formatTime(startS).split(':')
  const [seconds = '', minutes = '', hours] = time.reverse()
  const parts = [
    String(count).padStart(3, '0'),
    plain(basename(path, extname(path))),
    `${hours === undefined ? '' : `${hours}h`}${minutes}m${seconds}s`,
    plain(person),
  ]
  return parts.join(' ')
}

const plain = (text: string) => text.replaceAll(/[^\p{L}\p{N} ._+-]/gu, '_').replace(/^\.+/, '_').slice(0, 40).trim() // prettier-ignore
