import { Transform, type Readable } from 'node:stream'
import { clipName } from '../common/display-name.js'
import { CameoError } from '../common/errors.js'
import { checkClipFile } from './clip-file.js'
import { stuck } from './failures.js'
import { startFfmpeg, type FfmpegProcess } from './ffmpeg.js'
import { commonInputOptions, inputUrl } from './ffmpeg-arguments.js'
import { maxSourceAreaPx } from './image-sizes.js'
import { demuxerFor } from './still-image.js'
import { Watchdog } from './watchdog.js'

/** A part of a clip, to be sent to a player while it is made. */
export interface StreamRequest {
  readonly path: string
  /** s, on the clip's own clock. A copy begins with a key frame at or before it: see `copyStartS`. */
  readonly startS: number
  /**
   * Begin to read so many seconds earlier, and leave them out. For containers in which ffmpeg does not go to a key frame: pictures
   * before the first one cannot be decoded. Not for copies.
   */
  readonly leadS?: number
  readonly endS: number
  /** The video is H.264 that players know: its packets are copied, from a key frame on. */
  readonly copiesVideo: boolean
  /** How long nothing may happen, of ffmpeg or of the reader, s. Default: 60. */
  readonly stallTimeoutS?: number
}

/** A running ffmpeg. */
export interface ClipStream {
  /** Fragmented MP4 (H.264, AAC). Fails with the reason if ffmpeg does. */
  readonly bytes: Readable
  /** Kills ffmpeg. A second call does nothing. */
  stop(): void
  /** Resolves when ffmpeg has exited. Never rejects. */
  readonly ended: Promise<void>
}

/** A player that shows pictures while they arrive needs a box at the front, and fragments that are each complete. */
const fragments = ['-movflags', 'frag_keyframe+empty_moov+default_base_moof', '-f', 'mp4']

/** Square pixels, at most 1280 × 720 or 720 × 1280, even sides. */
const smaller =
  "scale=w='2*max(1,trunc(iw*sar*min(1,min(1280/max(iw*sar,ih),720/min(iw*sar,ih)))/2))'" +
  ":h='2*max(1,trunc(ih*min(1,min(1280/max(iw*sar,ih),720/min(iw*sar,ih)))/2))':flags=bilinear,setsar=1"

/** Fast rather than small: somebody waits for it. A key frame every 2 s, so that it begins to play soon. */
const encodedVideo = [
  ...['-vf', `yadif=mode=send_frame:deint=interlaced,${smaller}`],
  ...['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '26', '-pix_fmt', 'yuv420p'],
  ...['-force_key_frames', 'expr:gte(t,n_forced*2)'],
]

/**
 * Makes a part of a clip playable in a browser. Reads only this file; bytes are made only as fast as they are read.
 * @throws CLIP_* if the file cannot be opened. Later failures are errors of `bytes`: FFMPEG_MISSING, FFMPEG_FAILED, CLIP_STUCK
 */
export async function streamClip(request: StreamRequest): Promise<ClipStream> {
  const { path, stallTimeoutS = 60 } = request
  await checkClipFile(path)
  const demuxer = await demuxerFor(path)
  const bytes = new Transform({
    ...{ emitClose: false, highWaterMark: 1 << 20 },
    transform(chunk: Buffer, _encoding, done) {
      watchdog.signOfLife()
      done(null, chunk)
    },
  })
  // An error must not end this process if the reader has gone.
  bytes.on('error', () => undefined)
  const problems: string[] = []
  let stopReason: CameoError | undefined
  const process: FfmpegProcess = startFfmpeg({
    input: inputUrl(path),
    inputOptions: inputOptionsOf(request, demuxer),
    outputOptions: outputOptionsOf(request),
    output: bytes,
    onLogLine: (line) => {
      const problem = /\[(?:error|fatal)\] (.+)$/.exec(line)?.[1]
      if (problem !== undefined && problems.length < 20) problems.push(problem)
    },
  })
  const stop = (reason: CameoError) => {
    stopReason ??= reason
    process.kill()
    // What was sent is not the whole: its reader must not take it for that.
    bytes.destroy(stopReason)
  }
  const watchdog = new Watchdog(
    stallTimeoutS,
    () => true,
    () => stop(stuck(path, stallTimeoutS)),
  )
  const ended = process.exited.then((exit) => {
    watchdog.stop()
    const error = stopReason ?? exit
    if (error !== undefined) bytes.destroy(failureOf(path, error, problems))
  })
  return { bytes, ended, stop: () => stop(new CameoError('INTERRUPTED', 'the stream was stopped')) }
}

function inputOptionsOf(
  { startS, leadS = 0, copiesVideo }: StreamRequest,
  demuxer: string | undefined,
): string[] {
  return [
    ...commonInputOptions(demuxer),
    ...['-threads', '2', '-max_pixels', String(maxSourceAreaPx + 8192 * 256)],
    // Copied pictures begin with a key frame before the start; so must the sound.
    ...(copiesVideo ? ['-noaccurate_seek'] : []),
    ...['-ss', Math.max(0, startS - leadS).toFixed(6)],
  ]
}

const outputOptionsOf = ({ startS, leadS = 0, endS, copiesVideo }: StreamRequest): string[] => [
  ...(leadS === 0 ? [] : ['-ss', Math.min(startS, leadS).toFixed(6)]),
  ...['-t', (endS - startS).toFixed(6), '-map', '0:V:0', '-map', '0:a:0?', '-sn', '-dn'],
  ...['-map_metadata', '-1', '-map_chapters', '-1'],
  ...(copiesVideo ? ['-c:v', 'copy'] : encodedVideo),
  ...['-c:a', 'aac', '-ac', '2', '-b:a', '128k'],
  ...fragments,
]

function failureOf(path: string, error: Error, problems: readonly string[]): CameoError {
  if (error instanceof CameoError) return error
  const why = problems.at(-1)?.trim() ?? 'ffmpeg does not say why'
  return new CameoError('FFMPEG_FAILED', `${clipName(path)} could not be prepared for playing: ${why}`, {
    cause: error,
    retriable: false,
  })
}
