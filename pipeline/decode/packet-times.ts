import { Writable } from 'node:stream'
import { CameoError } from '../common/errors.js'
import { checkClipFile } from './clip-file.js'
import { clipName } from '../common/display-name.js'
import { explainFailure, stuck } from './failures.js'
import { startFfmpeg } from './ffmpeg.js'
import { commonInputOptions, inputUrl } from './ffmpeg-arguments.js'
import type { InputInfo } from './ffmpeg-log.js'
import { FfmpegLogReader } from './ffmpeg-log.js'
import { demuxerFor } from './still-image.js'
import { Watchdog } from './watchdog.js'

export interface PacketOptions {
  /** Default 60. */
  readonly stallTimeoutS?: number | undefined
  /** Begin with the key frame from which this time of the clip can be decoded; times stay those of the clip. */
  readonly seekToS?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Reads a clip's packets without decoding them, and passes on each line that ffmpeg's framecrc prints about them.
 * @param which ffmpeg options that choose the streams
 * @returns `explain` says why nothing was found, for a caller that found nothing
 * @throws CLIP_*, and INTERRUPTED by the signal
 */
export async function readPackets(
  path: string,
  which: readonly string[],
  onLine: (line: string) => void,
  { stallTimeoutS = 60, seekToS, signal }: PacketOptions,
): Promise<{ readonly input: InputInfo | undefined; readonly explain: () => Promise<CameoError> }> {
  const interrupted = () =>
    new CameoError('INTERRUPTED', `measuring ${clipName(path)} was interrupted`, { cause: signal?.reason })
  await checkClipFile(path)
  const demuxer = await demuxerFor(path)
  if (signal?.aborted === true) throw interrupted()

  let stopReason: CameoError | undefined
  let input: InputInfo | undefined
  const problems: string[] = []
  const stop = (reason: CameoError) => {
    stopReason ??= reason
    process.kill()
  }
  const watchdog = new Watchdog(
    stallTimeoutS,
    () => true,
    () => stop(stuck(path, stallTimeoutS)),
  )
  const log = new FfmpegLogReader(inputUrl(path), {
    onInput: (opened) => (input = opened),
    onProblem: (level, text) => {
      if (level !== 'warning' && problems.length < 50) problems.push(text)
    },
  })
  const process = startFfmpeg({
    input: inputUrl(path),
    inputOptions: [
      ...commonInputOptions(demuxer),
      ...(seekToS === undefined ? [] : ['-copyts', '-start_at_zero', '-ss', seekToS.toFixed(6)]),
    ],
    // Some demuxers mark no key frames; a copy would wait for one.
    outputOptions: [...which, '-c', 'copy', '-copyinkf', '-f', 'framecrc'],
    output: new Lines((line) => {
      watchdog.signOfLife()
      onLine(line)
    }),
    onLogLine: (line) => {
      watchdog.signOfLife()
      log.read(line)
    },
  })
  const abort = () => stop(interrupted())
  signal?.addEventListener('abort', abort, { once: true })
  const exit = await process.exited
  watchdog.stop()
  signal?.removeEventListener('abort', abort)
  if (stopReason !== undefined) throw stopReason
  if (exit instanceof CameoError) throw exit
  return { input, explain: () => explainFailure({ path, problems, input, exit }) }
}

class Lines extends Writable {
  #rest = ''
  readonly #onLine: (line: string) => void

  constructor(onLine: (line: string) => void) {
    super({ emitClose: false })
    this.#onLine = onLine
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const lines = (this.#rest + chunk.toString('latin1')).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#onLine(line)
    done()
  }
}

/** Keeps the latest end of one stream's packets, from framecrc's lines (`stream, dts, pts, duration, size, checksum`). */
export class PacketTimes {
  #timeBaseS = Number.NaN
  /** Raw streams have no presentation times. Their decoding times begin below 0, by the number of reordered frames. */
  #firstDts = 0
  #end: number | undefined
  #total = 0
  #packets = 0
  #hasPts = false

  get packets(): number {
    return this.#packets
  }

  /** Undefined until a packet is read. */
  get endS(): number | undefined {
    if (this.#end === undefined) return undefined
    return (this.#end - (this.#hasPts ? 0 : this.#firstDts)) * this.#timeBaseS
  }

  /** Sum of the packets' durations, whatever their times are; undefined until a packet is read. */
  get totalS(): number | undefined {
    return this.#end === undefined ? undefined : this.#total * this.#timeBaseS
  }

  /** @param stream the number of the output's stream; lines about other streams are ignored */
  readLine(line: string, stream = 0): void {
    const timeBase = /^#tb (\d+): (\d+)\/(\d+)/.exec(line)
    if (timeBase !== null && Number(timeBase[1]) === stream)
      this.#timeBaseS = Number(timeBase[2]) / Number(timeBase[3])
    if (!line.startsWith(`${stream},`)) return
    const [dts = 0, pts = 0, duration = 0] = line.split(',').slice(1, 4).map(Number)
    const isPts = pts > Number.MIN_SAFE_INTEGER // "none" is −2⁶³
    if (this.#end === undefined) this.#firstDts = Math.min(0, dts)
    this.#packets += 1
    this.#hasPts ||= isPts
    this.#total += duration
    this.#end = Math.max(this.#end ?? Number.NEGATIVE_INFINITY, (isPts ? pts : dts) + duration)
  }
}
