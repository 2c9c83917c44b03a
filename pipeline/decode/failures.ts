import { CameoError } from '../common/errors.js'
import { beginsLikeMp4, regularFileBytes } from './clip-file.js'
import { clipName } from '../common/display-name.js'
import { fileTypeAt } from './file-type.js'
import { encrypted, saysEncrypted } from './encryption.js'
import type { InputInfo } from './ffmpeg-log.js'
import { filmOf } from './film-stream.js'
import { isAudioContainer } from './formats.js'
import { maxSourceAreaPx } from './image-sizes.js'

/** What remains of an ffmpeg run that gave no frame. */
export interface FailedRun {
  readonly path: string
  /** Messages of level error and above, oldest first. */
  readonly problems: readonly string[]
  readonly input: InputInfo | undefined
  /** The film's stream, if there was a choice. */
  readonly stream?: number | undefined
  readonly exit: Error | undefined
}

export function notVideo(path: string, seenAs: string): CameoError {
  return new CameoError(
    'CLIP_NOT_VIDEO',
    `${clipName(path)} is not a video file (${seenAs}): remove it from the archive or convert it`,
  )
}

export function frameTooLarge(path: string, size: string): CameoError {
  return new CameoError(
    'CLIP_FRAME_TOO_LARGE',
    `${clipName(path)} has frames of ${size} pixels, above the limit of ${Math.sqrt(maxSourceAreaPx)}×${Math.sqrt(maxSourceAreaPx)}: scale it down first`,
  )
}

export function stuck(path: string, stallTimeoutS: number): CameoError {
  return new CameoError(
    'CLIP_STUCK',
    `ffmpeg read nothing from ${clipName(path)} for ${stallTimeoutS} s and was stopped: the file may be a pipe without a writer, or its disk or network share hangs`,
  )
}

export function timeLost(path: string, isDamaged: boolean): CameoError {
  if (isDamaged)
    return new CameoError(
      'CLIP_DECODE_FAILED',
      `${clipName(path)} is damaged: ffmpeg returned a frame without its time; copy it again from its source`,
    )
  return new CameoError(
    'FFMPEG_FAILED',
    `ffmpeg returned a frame of ${clipName(path)}, but the frame's time is missing from ffmpeg's log: try again`,
  )
}

/** Turns ffmpeg's last messages into one sentence about the clip. */
export async function explainFailure(run: FailedRun): Promise<CameoError> {
  const { path, problems, input, stream, exit } = run
  const name = clipName(path)
  const find = (pattern: RegExp) =>
    problems.reduce<RegExpExecArray | null>((found, text) => found ?? pattern.exec(text), null)
  const options = exit === undefined ? {} : { cause: exit }

  const refused = find(/^\[(.*)\] Format not on whitelist/)?.[1]
  if (refused === 'in#0') {
    // ffmpeg 9 does not say which format it was.
    const kind = await mimeOf(path)
    return kind?.startsWith('audio/') === true
      ? noVideo(name)
      : notVideo(path, `its content is "${kind ?? 'unknown'}"`)
  }
  if (refused !== undefined) {
    return isAudioContainer(refused) ? noVideo(name) : notVideo(path, describeFormat(refused))
  }
  if (find(/matches no streams/) !== null) return noVideo(name)

  const tooLarge = find(/[Pp]icture size (\d+x\d+) exceeds/) ?? find(/[Pp]icture size (\d+x\d+) is invalid/)
  if (tooLarge !== null) return frameTooLarge(path, (tooLarge[1] ?? '').replace('x', '×'))

  if (input === undefined) {
    // ffmpeg's messages about the file itself end with the system's error text.
    if (find(/: No such file or directory$/) !== null) {
      return new CameoError('CLIP_GONE', `${name} is no longer there: it was moved or deleted`, options)
    }
    if (find(/: (Permission denied|Input\/output error|Stale file handle)$/) !== null) {
      return new CameoError('CLIP_UNREADABLE', `${name} cannot be read: ${problems.at(-1) ?? ''}`, options)
    }
    if (find(/moov atom not found/) !== null && (await beginsLikeMp4(path))) {
      return new CameoError(
        'CLIP_DECODE_FAILED',
        `${name} is cut off: its index (the "moov" part of an MP4) is missing; copy it again from its source`,
        options,
      )
    }
    if (find(/could not find codec parameters/i) !== null) {
      return new CameoError(
        'CLIP_DECODE_FAILED',
        `${name} is damaged: ffmpeg cannot tell how its video is coded; copy it again from its source`,
        options,
      )
    }
    if (find(/Invalid data found|moov atom not found|Invalid argument|End of file/) !== null) {
      return notVideo(path, 'ffmpeg does not recognise its content, or its beginning is damaged')
    }
  }
  if (!wasKilled(exit) && (await saysEncrypted(path))) return encrypted(path)
  if (wasKilled(exit)) {
    return new CameoError(
      'FFMPEG_FAILED',
      `ffmpeg was killed while it decoded ${name} (out of memory?)`,
      options,
    )
  }
  const unknownCodec = find(/Decoder \(codec (\S+)\) not found|no decoder found for: (\S+)/)
  if (unknownCodec !== null) {
    const [, codec = unknownCodec[2] ?? ''] = unknownCodec
    return new CameoError(
      'CLIP_DECODE_FAILED',
      `this ffmpeg cannot decode the video of ${name} (codec ${codec}): convert it, or install an ffmpeg that can decode it`,
      options,
    )
  }
  if (input === undefined) {
    return new CameoError('FFMPEG_FAILED', `ffmpeg failed on ${name}: ${lastWords(run)}`, options)
  }
  const codec = filmOf(input.streams, stream)?.codec ?? 'unknown'
  return new CameoError(
    'CLIP_DECODE_FAILED',
    `no frame of ${name} (codec ${codec}) can be decoded: ${lastWords(run)}`,
    options,
  )
}

async function mimeOf(path: string): Promise<string | undefined> {
  // Opening a pipe would wait for its writer.
  if ((await regularFileBytes(path)) === undefined) return undefined
  return (await fileTypeAt(path))?.mime
}

function describeFormat(demuxer: string): string {
  if (demuxer === 'webp_pipe') return 'it is a WebP image, and ffmpeg does not read animated WebP'
  if (/_pipe$|^image2|^(alias_pix|brender_pix|fits|frm|ico|txd)$/.test(demuxer)) return 'it is a still image'
  if (/^(concat|hls|dash|imf|sdp)$/.test(demuxer)) return 'it is a playlist of other files'
  return `its content is "${demuxer}"`
}

function noVideo(name: string): CameoError {
  return new CameoError('CLIP_NO_VIDEO', `${name} has no video stream (audio or cover art only)`)
}

function wasKilled(exit: Error | undefined): boolean {
  return exit !== undefined && /was killed with signal/.test(exit.message)
}

function lastWords({ problems, exit }: FailedRun): string {
  return problems.at(-1) ?? exit?.message.split('\n')[0] ?? 'it contains no frames'
}
