import { CameoError } from '../common/errors.js'
import { FfmpegRun } from './ffmpeg-run.js'
import type { RawFrame } from './ffmpeg-run.js'
import { checkClipFile, leastBytesPerS, regularFileBytes } from './clip-file.js'
import type { ClipInfo, InfoSources } from './clip-info.js'
import { clipInfo } from './clip-info.js'
import { clipName } from '../common/display-name.js'
import { mpegClockOf } from './clock.js'
import type { DecodedFrame, DecodeHandle, DecodeRequest } from './decode-request.js'
import { decodedFrame } from './decoded-frame.js'
import type { DecodePlan } from './ffmpeg-arguments.js'
import { notVideo } from './failures.js'
import { Deferred } from '../common/deferred.js'
import { encrypted, isEncryptedMp4 } from './encryption.js'
import { chooseFilm, type FilmChoice } from './film-stream.js'
import { isStillImage } from './formats.js'
import { frameSizes } from './image-sizes.js'
import { Mailbox } from './async-queue.js'
import { lacksEnd } from './truncated-file.js'
import { demuxerFor } from './still-image.js'
import { RestartNeeded, type PlanChange } from './plan-change.js'
import type { TimeRange } from './sampling.js'
import { slotOf } from './sampling.js'
import { measureStreams } from './stream-extents.js'
import type { DecodedBefore, DecodeSummary } from './summary.js'
import { summarize } from './summary.js'

/**
 * Seconds before a segment at which reading starts. Most GOPs fit into the first margin, the longest usual ones into
 * the second.
 */
const seekMarginsS = [3, 15, 60]

/**
 * Streams the sampled frames of a clip, or of a part of it, from one ffmpeg process that starts at once. Another
 * process is started only if the first cannot be correct: a seek that landed too late, frames above 4K, a size that
 * changes within the clip, key frames that state a rotation, several video streams, a raw stream with wrong times,
 * damage, key frames of a long clip with a codec that allows skipping the other frames.
 */
export function openFrames(request: DecodeRequest): DecodeHandle {
  const job = new DecodeJob(request)
  return {
    info: job.info.promise,
    frames: job.frames(),
    gapsS: () => job.gapsS(),
    summary: job.summary.promise,
    get soFar() {
      return job.soFar
    },
    close: () => job.close(),
  }
}

/** A slide show may be this long, however small its file is. */
const shortClipS = 600

class DecodeJob {
  readonly info = new Deferred<ClipInfo>()
  readonly summary = new Deferred<DecodeSummary>()
  readonly #request: DecodeRequest
  /** Every run of ffmpeg, for the reader of the frames, who may start late. */
  readonly #runs = new Mailbox<FfmpegRun>()
  #latest: FfmpegRun | undefined
  /** Resolves with the last run, after it has ended and no other run follows. */
  readonly #running: Promise<FfmpegRun>
  #closed = false
  #longestGapS: number
  #margin = 0
  #plan: DecodePlan
  #film: FilmChoice | undefined
  /** No gap ends later than this, whatever damaged times say. */
  #longestS = shortClipS

  constructor(request: DecodeRequest) {
    this.#request = request
    this.#longestGapS = request.before?.longestGapS ?? 0
    const { sampling, startS, endS } = request
    this.#plan = {
      sampling,
      range: { startS, endS },
      seekToS: this.#nextSeek(),
      skipNonKey: false,
      sizes: { kind: 'fromSource', rule: request.detection },
    }
    request.signal?.addEventListener('abort', this.#abort, { once: true })
    this.#running = this.#runAll().finally(() => this.#runs.close())
    this.#running.catch((error: unknown) => this.#fail(error))
  }

  async *frames(): AsyncGenerator<DecodedFrame, void, undefined> {
    let count = 0
    let lastTimeS: number | undefined
    let lastSlot = Number.NEGATIVE_INFINITY
    let lastGoodS = Number.NEGATIVE_INFINITY
    try {
      for await (const raw of this.#rawFrames()) {
        // If ffmpeg rebuilds its graph, or runs again, its selection starts again.
        const slot = slotOf(raw.timeS, this.#request.sampling)
        if (slot <= lastSlot) continue
        lastSlot = slot
        this.#longestGapS = Math.max(this.#longestGapS, raw.timeS - (lastTimeS ?? raw.timeS))
        lastTimeS = raw.timeS
        if (raw.isLost) continue
        const followsGap = this.gapsS().some(({ startS }) => startS > lastGoodS && startS < raw.timeS)
        lastGoodS = raw.timeS
        count += 1
        yield followsGap ? { ...decodedFrame(raw), followsGap } : decodedFrame(raw)
      }
      const last = await this.#running
      const error = await last.outcome()
      if (error !== undefined) throw error
      const durationS = this.#statedEndS(last.input?.durationS)
      const endS = Math.min(durationS ?? Infinity, this.#request.endS)
      last.damage?.finish(endS === Infinity ? undefined : endS)
      const isShort = await lacksEnd(this.#request.path, last.input?.container)
      const { longestGapS, isCutOff } = this.soFar
      const about = { isCutOff, container: last.input?.container, durationS }
      const found = { frames: count, lastTimeS, longestGapS, lacksEnd: isShort }
      this.summary.resolve(summarize(about, this.#request, found))
    } catch (error) {
      this.#fail(error)
      throw error
    } finally {
      this.summary.resolve({ frames: count, lastTimeS, truncated: false })
      await this.close()
    }
  }

  /** ffmpeg reports a frame's faults before it returns the frame. */
  get soFar(): DecodedBefore {
    const isCutOff = this.#latest?.isCutOff === true || this.#request.before?.isCutOff === true
    const gaps = this.gapsS().map(({ startS, endS }) => [startS, endS] as const)
    return { longestGapS: this.#longestGapS, isCutOff, ...(gaps.length === 0 ? {} : { gapsS: gaps }) }
  }

  /**
   * The end of the clip as the container states it. For joined recordings, the stated end belongs to one recording only
   * and is not used.
   */
  #statedEndS(statedS: number | undefined): number | undefined {
    return this.#plan.clock?.isSteady === false ? undefined : statedS
  }

  gapsS(): TimeRange[] {
    const { startS, endS, before } = this.#request
    const clipEndS = Math.min(this.#longestS, this.#statedEndS(this.#latest?.input?.durationS) ?? Infinity)
    const gaps = (this.#latest?.damage?.gaps ?? [])
      .map((gap) => ({ startS: Math.max(startS, gap.startS), endS: Math.min(endS, clipEndS, gap.endS) }))
      .filter((gap) => gap.endS > gap.startS)
    return [...(before?.gapsS ?? []).map(([from, to]) => ({ startS: from, endS: to })), ...gaps]
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#request.signal?.removeEventListener('abort', this.#abort)
    await this.#stop()
  }

  readonly #abort = () => {
    void this.#stop()
  }

  async #stop(): Promise<void> {
    await this.#latest?.stop(this.#interrupted())
    await this.#running.catch(() => undefined)
    // For the case that ffmpeg has ended, but its frames were not read.
    this.#fail(this.#interrupted())
  }

  /**
   * Runs ffmpeg, and runs it again as long as a run asks for that. It must not wait for the reader of the frames: a
   * caller that awaits `info` first would wait for ever if the first run is abandoned.
   */
  async #runAll(): Promise<FfmpegRun> {
    const { path } = this.#request
    await checkClipFile(path)
    this.#longestS = Math.max(shortClipS, ((await regularFileBytes(path)) ?? 0) / leastBytesPerS)
    if (await isEncryptedMp4(path)) throw encrypted(path)
    this.#plan = {
      ...this.#plan,
      ...{ demuxer: await demuxerFor(path), clock: await mpegClockOf(path) },
    }
    for (;;) {
      const run = this.#start()
      const error = await run.result
      if (error === undefined) {
        if (run.input !== undefined) this.info.resolve(clipInfo(run.input, this.#sources()))
        return run
      }
      if (!(error instanceof RestartNeeded)) throw error
      this.#plan = { ...this.#plan, ...(await this.#changed(error.change)) }
    }
  }

  #start(): FfmpegRun {
    const { path, detection, stallTimeoutS = 60, signal } = this.#request
    if (this.#closed || signal?.aborted === true) throw this.#interrupted()
    const run = new FfmpegRun({
      path,
      plan: this.#plan,
      rule: detection,
      stallTimeoutS,
      onSize: (input, displayed) => {
        if (isStillImage(input.brands)) void run.stop(notVideo(path, 'it is a still image'))
        else this.info.resolve(clipInfo(input, this.#sources(), displayed))
      },
    })
    this.#latest = run
    this.#runs.put(run)
    return run
  }

  async *#rawFrames(): AsyncGenerator<RawFrame, void, undefined> {
    for (;;) {
      const run = await this.#runs.next()
      if (run === undefined) return
      yield* run.frames()
    }
  }

  #sources(): InfoSources {
    return { rule: this.#request.detection, film: this.#film, clock: this.#plan.clock }
  }

  async #changed(change: PlanChange): Promise<Partial<DecodePlan>> {
    const { path, detection, stallTimeoutS, signal } = this.#request
    switch (change.kind) {
      case 'fixSizes': {
        const { source } = change
        return { sizes: { kind: 'fixed', source, sizes: frameSizes(source, detection) } }
      }
      case 'chooseFilm': {
        const { candidates } = change
        const numbers = candidates.map(({ index }) => index)
        const extents = await measureStreams(path, numbers, { stallTimeoutS, signal })
        this.#film = chooseFilm(candidates, extents)
        return { stream: this.#film?.stream ?? numbers[0] }
      }
      case 'turn':
        return { turnDegrees: change.degrees }
      case 'logAllFrames':
        return { logsAllFrames: true, skipNonKey: false }
      case 'skipNonKey':
        return { skipNonKey: true }
      case 'retime':
        return { retiming: change.retiming }
      case 'seekEarlier':
        return { seekToS: this.#nextSeek() }
    }
  }

  /** Earlier with every call; in the end, the clip's beginning. */
  #nextSeek(): number | undefined {
    const margin = seekMarginsS[this.#margin++]
    const { seek, startS } = this.#request
    if (seek === 'fromStart' || margin === undefined || startS <= margin) return undefined
    return startS - margin
  }

  #fail(error: unknown): void {
    this.info.reject(error)
    this.summary.reject(error)
  }

  #interrupted(): CameoError {
    return new CameoError('INTERRUPTED', `decoding ${clipName(this.#request.path)} was interrupted`, {
      cause: this.#request.signal?.reason,
    })
  }
}
