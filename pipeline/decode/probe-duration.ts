import { Writable } from 'node:stream'
import { CameoError } from '../errors.js'
import { checkClipFile } from './clip-file.js'
import { clipName } from './clip-name.js'
import { explainFailure, stuck } from './failures.js'
import { startFfmpeg } from './ffmpeg.js'
import { commonInputOptions, inputUrl } from './ffmpeg-arguments.js'
import type { InputInfo } from './ffmpeg-log.js'
import { FfmpegLogReader } from './ffmpeg-log.js'
import { retimingOf } from './formats.js'
import { demuxerFor } from './pictures.js'
import { Watchdog } from './watchdog.js'

export interface ProbeOptions {
  /** Default 60. */
  readonly stallTimeoutS?: number
  readonly signal?: AbortSignal
}

/**
 * The end of a clip's video in seconds, found by reading every packet without decoding any: for containers that do
 * not state a duration (raw streams, some WebM and TS). Reads the whole file.
 */
export async function probeDurationS(path: string, options: ProbeOptions = {}): Promise<number> {
  const { stallTimeoutS = 60, signal } = options
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
  const end = new PacketTimes(() => watchdog.signOfLife())
  const log = new FfmpegLogReader(inputUrl(path), {
    onInput: (opened) => (input = opened),
    onProblem: (level, text) => {
      if (level !== 'warning' && problems.length < 50) problems.push(text)
    },
  })
  const process = startFfmpeg({
    input: inputUrl(path),
    inputOptions: commonInputOptions(demuxer),
    // Some demuxers mark no key frames, for which a copy would wait.
    outputOptions: ['-map', '0:V:0', '-c', 'copy', '-copyinkf', '-f', 'framecrc'],
    output: end,
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
  const durationS = retimingOf(input?.container) === undefined ? end.endS : end.totalS
  if (durationS === undefined) throw await explainFailure({ path, problems, input, exit })
  return durationS
}

/** Reads ffmpeg's framecrc lines (`stream, dts, pts, duration, size, checksum`) and keeps the latest end. */
export class PacketTimes extends Writable {
  #rest = ''
  #timeBaseS = Number.NaN
  /** Raw streams have no presentation times; their decoding times begin below 0 by the frames reordered. */
  #firstDts = 0
  #end: number | undefined
  #total = 0
  #hasPts = false
  readonly #onBytes: () => void

  constructor(onBytes: () => void = () => undefined) {
    super({ emitClose: false })
    this.#onBytes = onBytes
  }

  /** Undefined while no packet was read. */
  get endS(): number | undefined {
    if (this.#end === undefined) return undefined
    return (this.#end - (this.#hasPts ? 0 : this.#firstDts)) * this.#timeBaseS
  }

  /** The packets' lengths together, whatever their times; undefined while no packet was read. */
  get totalS(): number | undefined {
    return this.#end === undefined ? undefined : this.#total * this.#timeBaseS
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#onBytes()
    const lines = (this.#rest + chunk.toString('latin1')).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#readLine(line)
    done()
  }

  #readLine(line: string): void {
    const timeBase = /^#tb 0: (\d+)\/(\d+)/.exec(line)
    if (timeBase !== null) this.#timeBaseS = Number(timeBase[1]) / Number(timeBase[2])
    if (!line.startsWith('0,')) return
    const [dts = 0, pts = 0, duration = 0] = line.split(',').slice(1, 4).map(Number)
    const isPts = pts > Number.MIN_SAFE_INTEGER // "none" is −2⁶³
    if (this.#end === undefined) this.#firstDts = Math.min(0, dts)
    this.#hasPts ||= isPts
    this.#total += duration
    this.#end = Math.max(this.#end ?? Number.NEGATIVE_INFINITY, (isPts ? pts : dts) + duration)
  }
}
