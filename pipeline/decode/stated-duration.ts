import { Writable } from 'node:stream'
import { CameoError } from '../common/errors.js'
import { checkClipFile } from './clip-file.js'
import { startFfmpeg } from './ffmpeg.js'
import { commonInputOptions, inputUrl } from './ffmpeg-arguments.js'
import { FfmpegLogReader } from './ffmpeg-log.js'
import { demuxerFor } from './still-image.js'

/** ffmpeg opens a clip in a fraction of this time. */
const timeoutMs = 10_000

/**
 * A clip's length as its container states it, from the beginning of the file. Undefined if the container does not state
 * it, or if the clip cannot be opened at once. It is for an estimate, not for a plan.
 */
export async function statedDurationS(path: string, signal: AbortSignal): Promise<number | undefined> {
  try {
    await checkClipFile(path)
    const demuxer = await demuxerFor(path)
    if (signal.aborted) return undefined
    let durationS: number | undefined
    const log = new FfmpegLogReader(inputUrl(path), {
      onInput: (input) => (durationS = input.durationS),
      onProblem: () => undefined,
    })
    const process = startFfmpeg({
      input: inputUrl(path),
      inputOptions: commonInputOptions(demuxer),
      outputOptions: ['-map', '0:V:0', '-c', 'copy', '-copyinkf', '-frames:v', '1', '-f', 'framecrc'],
      output: new Writable({ write: (_chunk, _encoding, done) => done() }),
      onLogLine: (line) => log.read(line),
    })
    const kill = () => process.kill()
    const timer = setTimeout(kill, timeoutMs)
    signal.addEventListener('abort', kill, { once: true })
    await process.exited
    clearTimeout(timer)
    signal.removeEventListener('abort', kill)
    return durationS
  } catch (error) {
    if (error instanceof CameoError) return undefined
    throw error
  }
}
