import { CameoError } from '../common/errors.js'
import { clipName } from '../common/display-name.js'
import { DamageLog, isDamageSign } from './damage.js'
import { frameTooLarge, stuck, timeLost } from './failures.js'
import type { FfmpegProcess } from './ffmpeg.js'
import { startFfmpeg } from './ffmpeg.js'
import type { DecodePlan } from './ffmpeg-arguments.js'
import { filterGraph, inputOptions, inputUrl, outputOptions } from './ffmpeg-arguments.js'
import type { InputInfo, LoggedFrame, ProblemLevel } from './ffmpeg-log.js'
import { FfmpegLogReader } from './ffmpeg-log.js'
import { FramePipe } from './frame-pipe.js'
import { FrameSizing } from './frame-sizing.js'
import type { FrameSizes, SizePx } from './image-sizes.js'
import { maxSourceAreaPx, sharesFullImage } from './image-sizes.js'
import type { DetectionRule } from './image-sizes.js'
import { Mailbox } from './async-queue.js'
import { changeForInput, changeForOrientation } from './needed-change.js'
import { RestartNeeded } from './plan-change.js'
import { failureOfRun } from './run-failure.js'
import { SeekCheck } from './seek-check.js'
import type { StreamInfo } from './stream-info.js'
import { isCutOffSign } from './summary.js'
import { Watchdog } from './watchdog.js'

/**
 * A raw frame: `data` holds the full image, then the detection image in rows that are as wide as those of the full
 * image.
 */
export interface RawFrame {
  readonly timeS: number
  readonly data: Uint8Array
  readonly sizes: FrameSizes
  /** The frame is not what was recorded: the clip is damaged there. */
  readonly isLost: boolean
}

export interface FfmpegRunOptions {
  readonly path: string
  readonly plan: DecodePlan
  readonly rule: DetectionRule
  readonly stallTimeoutS: number
  /** Called once, when the displayed size of the frames is known. */
  readonly onSize: (input: InputInfo, displayed: SizePx) => void
}

/** Height of a raw frame: of the full image and, if there is one, the detection image below it. */
function rawRows(sizes: FrameSizes): number {
  return sizes.full.height + (sharesFullImage(sizes) ? 0 : sizes.detection.height)
}

/** Number of problems kept for messages; a damaged clip may report thousands. */
const keptProblems = 50

/** One run of ffmpeg over a range of a clip. */
export class FfmpegRun {
  /** ffmpeg's first messages of level error and above. */
  readonly problems: string[] = []
  /** A message showed that the file is cut off. */
  isCutOff = false
  input: InputInfo | undefined
  /** Set if the run looks for damage. */
  readonly damage: DamageLog | undefined
  /**
   * Resolves when ffmpeg has exited: undefined if it decoded the range to its end, otherwise the reason. Never rejects.
   */
  readonly result: Promise<Error | undefined>

  readonly #options: FfmpegRunOptions
  readonly #process: FfmpegProcess
  readonly #watchdog: Watchdog
  readonly #pipe: FramePipe
  readonly #shown = new Mailbox<LoggedFrame>()
  #stopReason: Error | undefined
  /** Takes effect after the shown frames are read. */
  #laterReason: RestartNeeded | undefined
  /** Set if the run begins with a seek. */
  readonly #seekCheck: SeekCheck | undefined
  readonly #sizing: FrameSizing
  #shownCount = 0

  constructor(options: FfmpegRunOptions) {
    this.#options = options
    const { path, plan, rule, stallTimeoutS } = options
    this.#sizing = new FrameSizing(plan.sizes, rule)
    if (plan.seekToS !== undefined) this.#seekCheck = new SeekCheck(path, plan)
    if (plan.logsAllFrames === true) this.damage = new DamageLog(plan.seekToS === undefined)
    this.#pipe = new FramePipe(() => this.#watchdog.signOfLife())
    this.#watchdog = new Watchdog(
      stallTimeoutS,
      // Nobody waits for a frame if its log line did not come before it: that line is lost.
      () => !this.#pipe.isHolding || this.#shownCount === 0,
      () => this.#stop(this.#pipe.isHolding ? this.#timeLost() : stuck(path, stallTimeoutS)),
    )
    const log = new FfmpegLogReader(inputUrl(path), {
      onInput: (input) => this.#onInput(input),
      onStream: (stream) => this.#checkSize(stream),
      onDecoded: (frame) => this.damage?.noteDecoded(frame),
      onConcealed: (blocks) => this.damage?.noteConcealed(blocks),
      onSeen: (frame) => this.#onSeen(frame),
      onShown: (frame) => this.#onShown(frame),
      onRebuilt: () => this.#logAllFrames(),
      onOrientation: (degrees) => this.#checkOrientation(degrees),
      onOutputSize: (size) => this.#checkOutput(size),
      onLost: () => this.#stop(this.#timeLost()),
      onProblem: (level, text) => this.#onProblem(level, text),
    })
    this.#process = startFfmpeg({
      input: inputUrl(path),
      inputOptions: inputOptions(plan),
      filterGraph: filterGraph(plan),
      outputOptions,
      output: this.#pipe,
      onLogLine: (line) => {
        this.#watchdog.signOfLife()
        log.read(line)
      },
    })
    this.result = this.#process.exited.then((exit) => this.#conclude(exit))
  }

  /**
   * The frames in order. The generator ends when the run ends, for any reason: see `outcome`. A frame's data is
   * overwritten after the next frame was requested.
   */
  async *frames(): AsyncGenerator<RawFrame, void, undefined> {
    let frame = await this.#shown.next()
    const { sizes } = this.#sizing
    if (frame === undefined || sizes === undefined) return
    const rows = rawRows(sizes)
    // Two buffers: the consumer has one while the other is filled.
    const frameBytes = sizes.full.width * rows * 3
    let ready = new Uint8Array(frameBytes)
    let next = new Uint8Array(frameBytes)
    let filling = this.#pipe.fill(next)
    while (await filling) {
      ;[ready, next] = [next, ready]
      // A consumer may have transferred the buffer to another thread; that leaves an empty buffer.
      if (next.length !== frameBytes) next = new Uint8Array(frameBytes)
      filling = this.#pipe.fill(next)
      if (this.#stopReason !== undefined) return
      if (frame === undefined) {
        this.#stop(this.#timeLost())
        return
      }
      const { timeS } = frame
      yield { timeS, data: ready, sizes, isLost: this.damage?.isLost(timeS) === true }
      frame = await this.#shown.next()
      if (frame === undefined && this.#laterReason !== undefined) {
        this.#stop(this.#laterReason)
        return
      }
    }
  }

  /**
   * Like `result`, but it also reports a stop that came after ffmpeg exited, while its last frames were still unread.
   */
  async outcome(): Promise<Error | undefined> {
    const result = await this.result
    return this.#stopReason ?? result
  }

  /** Ends the run at once and waits until ffmpeg has exited. */
  async stop(reason: Error): Promise<void> {
    this.#stop(reason)
    await this.result
  }

  #timeLost(): CameoError {
    return timeLost(this.#options.path, this.problems.length > 0)
  }

  #stop(reason: Error): void {
    this.#stopReason ??= reason
    this.#process.kill()
    this.#release()
  }

  /**
   * The frames shown so far are correct and are still read. Which frames another run repeats must not depend on the
   * reader's position.
   */
  #stopAfterShown(reason: RestartNeeded): void {
    if (this.#shownCount === 0) this.#stop(reason)
    this.#laterReason ??= reason
    this.#shown.close()
  }

  get #isEnding(): boolean {
    return this.#stopReason !== undefined || this.#laterReason !== undefined
  }

  /** Releases every waiting reader. */
  #release(): void {
    this.#watchdog.stop()
    this.#pipe.discard()
    this.#shown.close()
  }

  #onInput(input: InputInfo): void {
    this.input = input
    const change = changeForInput(input, this.#options.plan)
    if (change !== undefined) this.#stop(new RestartNeeded(change))
  }

  #onProblem(level: ProblemLevel, text: string): void {
    this.isCutOff ||= isCutOffSign(text)
    if (level !== 'warning' && this.problems.length < keptProblems) this.problems.push(text)
    // Before that, ffmpeg probes the file; it repeats later what it reports then.
    if (this.input === undefined || this.isCutOff || !isDamageSign(level, text)) return
    this.damage?.noteSign(text)
    this.#logAllFrames()
  }

  /** Damage can be found only if all decoded frames are logged. */
  #logAllFrames(): void {
    if (this.damage === undefined) this.#stop(new RestartNeeded({ kind: 'logAllFrames' }))
  }

  #checkOrientation(degrees: number): void {
    const change = changeForOrientation(degrees, this.input, this.#options.plan)
    if (change !== undefined) this.#stop(new RestartNeeded(change))
  }

  #checkSize({ type, size, isCover }: StreamInfo): void {
    if (type !== 'Video' || isCover || size === undefined) return
    if (size.width * size.height > maxSourceAreaPx) {
      this.#stop(frameTooLarge(this.#options.path, `${size.width}×${size.height}`))
    }
  }

  /** Would reveal a mistake in the filter graph. */
  #checkOutput({ width, height }: SizePx): void {
    const { sizes } = this.#sizing
    if (this.#isEnding || sizes === undefined || (width === sizes.full.width && height === rawRows(sizes)))
      return
    this.#stop(
      new CameoError(
        'FFMPEG_FAILED',
        `ffmpeg returned frames of ${width}×${height} for ${clipName(this.#options.path)}; ${sizes.full.width}×${rawRows(sizes)} were expected`,
        { retriable: false },
      ),
    )
  }

  #onSeen(frame: LoggedFrame): void {
    const problem = this.#seekCheck?.note(frame)
    if (problem !== undefined) this.#stop(problem)
    else this.#noteSize(frame)
  }

  #onShown(frame: LoggedFrame): void {
    this.#noteSize(frame)
    if (this.#isEnding) return
    this.#shownCount += 1
    this.#shown.put(frame)
  }

  #noteSize(frame: LoggedFrame): void {
    // ffmpeg continues for a moment after it was stopped.
    if (this.#isEnding) return
    const isFirst = this.#sizing.firstSize === undefined
    const source = this.#sizing.note(frame)
    const { firstSize } = this.#sizing
    if (isFirst && this.input !== undefined && firstSize !== undefined)
      this.#options.onSize(this.input, firstSize)
    if (source !== undefined) this.#stopAfterShown(new RestartNeeded({ kind: 'fixSizes', source }))
  }

  async #conclude(exit: Error | undefined): Promise<Error | undefined> {
    const failure = this.#stopReason ?? this.#laterReason ?? (await this.#failure(exit))
    // The reader still takes the frames that are in the pipe.
    if (failure === undefined || failure === this.#laterReason) {
      this.#watchdog.stop()
      this.#shown.close()
    } else this.#release()
    return failure
  }

  #failure(exit: Error | undefined): Promise<Error | undefined> {
    return failureOfRun({
      ...{ path: this.#options.path, plan: this.#options.plan, exit },
      ...{ problems: this.problems, input: this.input },
      hasFrames: this.#shownCount > 0,
      holdsFrame: this.#pipe.isHolding,
      isSeekUnclear: this.#seekCheck?.hasAnchor === false && !this.isCutOff,
      sawDamagedFrames: this.damage?.sawFrames === true,
    })
  }
}
