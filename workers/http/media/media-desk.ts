import { once } from 'node:events'
import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import type { ClipFiles } from '../../../index/clips/clip-files.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import { findCopyStart, type CopyStart } from '../../../pipeline/decode/key-frame.js'
import { readMediaFacts } from '../../../pipeline/decode/media-facts.js'
import { streamClip, type ClipStream } from '../../../pipeline/decode/stream-clip.js'
import type { OpenedClip } from '../../remote-clips/opened-clip.js'
import { BoundedMap } from './bounded-map.js'
import { ClipOpener } from './clip-opener.js'
import { playingOf, type Playing } from './playable.js'
import { WorkSlots } from './work-slots.js'

/** How clips are played; each has a default. */
export interface MediaOptions {
  /** How many clips are prepared for playing at the same time. Default: 2. */
  readonly mostStreams?: number
  /** How long a further one waits, ms. Default: 5000. */
  readonly streamWaitMs?: number
  /** How long a stream may stand still before it is ended, s. Default: 60. */
  readonly stallTimeoutS?: number
  /** `host`, `host:port` or `s3://bucket` from which clips may be fetched to play them. Default: none. */
  readonly clipHosts?: readonly string[]
  /** Room for such clips, bytes. Default: 8 GiB. */
  readonly scratchBytes?: number
}

/** Seconds of a clip's own clock. */
export interface AskedRange {
  readonly startS: number
  readonly endS?: number | undefined
}

/** How a part of a clip is played. */
export interface PlayPlan {
  readonly playing: Playing
  /** The time of the clip at which the media begins. */
  readonly mediaStartS: number
  /** Where ffmpeg has to begin to read for that. */
  readonly seekToS: number
  /** The time of the clip at which it ends; undefined if it is the whole file. */
  readonly mediaEndS: number | undefined
  readonly durationS: number | undefined
}

/** An open file of a clip. */
export interface OpenMedia {
  readonly sizeBytes: number
  /** Undefined if no browser plays it as it is. */
  readonly mime: string | undefined
  /** The bytes from the first to the last. The file is closed when they are read, or not wanted any more. */
  read(first: number, last: number): Promise<Readable>
  /** Closes a file that is not read. */
  release(): void
}

/** Part of a clip that is made while it is sent. */
export interface OpenStream extends Pick<ClipStream, 'bytes' | 'stop'> {
  readonly plan: PlayPlan
}

/** How much of a clip is sent if its end is not asked for, and at the most, s. */
const usualStreamS = 300
const longestStreamS = 1800

/** Looking at a file's head. */
const mostProbes = 2
const probeWaitMs = 30_000

/** Opens clips for players. */
export class MediaDesk {
  readonly #opener: ClipOpener
  readonly #streams: WorkSlots
  readonly #probes = new WorkSlots(mostProbes, probeWaitMs)
  readonly #stallTimeoutS: number | undefined
  readonly #stop = new AbortController()
  readonly #running = new Set<ClipStream>()
  /** By the id of a clip, which is its content. */
  readonly #facts = new BoundedMap<{ readonly playing: Playing; readonly durationS: number | undefined }>(10_000)
  readonly #copyStarts = new BoundedMap<{ readonly at: CopyStart | undefined }>(10_000)

  constructor(scratchDir: string, options: MediaOptions = {}) {
    const { mostStreams = 2, streamWaitMs = 5000, clipHosts = [], scratchBytes = 8 * 2 ** 30 } = options
    this.#opener = new ClipOpener({ scratchDir, clipHosts, scratchBytes })
    this.#streams = new WorkSlots(mostStreams, streamWaitMs)
    this.#stallTimeoutS = options.stallTimeoutS
  }

  /** The number of clips that are being prepared for playing. */
  get streams(): number {
    return this.#streams.running
  }

  /**
   * How a browser gets to see a part of a clip.
   * @throws CLIP_*; RANGE_INVALID if it lies behind the clip's end; SERVER_BUSY
   */
  async plan(clip: ClipFiles, range: AskedRange, signal: AbortSignal): Promise<PlayPlan> {
    const opened = await this.#opener.open(clip, signal)
    try {
      return await this.#planOf(clip.clipId, opened, range, signal)
    } finally {
      opened.release()
    }
  }

  /** Opens a clip to send its file as it is. @throws CLIP_* */
  async open(clip: ClipFiles, signal: AbortSignal): Promise<OpenMedia> {
    const opened = await this.#opener.open(clip, signal)
    const facts = await this.#factsOf(clip.clipId, opened, signal).catch(() => undefined)
    const mime = facts?.playing.kind === 'direct' ? facts.playing.mime : undefined
    return {
      mime,
      sizeBytes: opened.stamp.sizeBytes,
      release: () => opened.release(),
      async read(first, last) {
        try {
          const handle = await open(opened.path)
          const bytes = handle.createReadStream({ start: first, end: last, highWaterMark: 1 << 18 })
          return bytes.once('close', () => opened.release())
        } catch (error) {
          opened.release()
          throw error
        }
      },
    }
  }

  /**
   * Starts to make a part of a clip for a browser, and waits for its first bytes.
   * @throws as `plan` does; FFMPEG_MISSING, FFMPEG_FAILED
   */
  async stream(clip: ClipFiles, range: AskedRange, signal: AbortSignal): Promise<OpenStream> {
    const isWanted = AbortSignal.any([signal, this.#stop.signal])
    const giveBack = await this.#streams.take(isWanted)
    let opened: OpenedClip | undefined
    try {
      opened = await this.#opener.open(clip, isWanted)
      const plan = await this.#planOf(clip.clipId, opened, range, isWanted, 'stream')
      const stream = await this.#start(opened, plan, isWanted)
      const held = opened
      void stream.ended.then(() => {
        this.#running.delete(stream)
        held.release()
        giveBack()
      })
      return { plan, bytes: stream.bytes, stop: () => stream.stop() }
    } catch (error) {
      opened?.release()
      giveBack()
      throw error
    }
  }

  /** Ends all streams. */
  close(): void {
    this.#stop.abort()
    for (const stream of this.#running) stream.stop()
  }

  async #start(
    { path }: OpenedClip,
    { playing, seekToS, mediaEndS = Infinity }: PlayPlan,
    signal: AbortSignal,
  ): Promise<ClipStream> {
    const stream = await streamClip({
      ...{ path, seekToS, endS: mediaEndS },
      copiesVideo: playing.kind === 'stream' && playing.copiesVideo,
      ...(this.#stallTimeoutS === undefined ? {} : { stallTimeoutS: this.#stallTimeoutS }),
    })
    this.#running.add(stream)
    const stop = () => stream.stop()
    signal.addEventListener('abort', stop, { once: true })
    try {
      if (signal.aborted) throw new CameoError('INTERRUPTED', 'whoever asked has gone')
      await once(stream.bytes, 'readable')
      return stream
    } catch (error) {
      stream.stop()
      await stream.ended
      this.#running.delete(stream)
      throw error
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  async #planOf(
    clipId: string,
    opened: OpenedClip,
    range: AskedRange,
    signal: AbortSignal,
    as?: 'stream',
  ): Promise<PlayPlan> {
    const { playing: own, durationS } = await this.#factsOf(clipId, opened, signal)
    const { startS } = range
    if (durationS !== undefined && startS >= durationS)
      throw new CameoError('RANGE_INVALID', `the clip ends at ${durationS.toFixed(3)} s`)
    if (own.kind === 'direct' && as === undefined)
      return { playing: own, durationS, mediaStartS: 0, seekToS: 0, mediaEndS: undefined }
    const playing = own.kind === 'stream' ? own : { kind: 'stream' as const, copiesVideo: false, reason: 'it was asked for' }
    const copy = playing.copiesVideo ? await this.#copyStart(clipId, opened, startS, signal) : undefined
    const wantedEndS = Math.min(range.endS ?? startS + usualStreamS, startS + longestStreamS)
    return {
      ...{ durationS, mediaEndS: Math.min(wantedEndS, durationS ?? Infinity) },
      ...(copy === undefined
        ? { playing: { ...playing, copiesVideo: false }, mediaStartS: startS, seekToS: startS }
        : { playing, mediaStartS: copy.startS, seekToS: copy.seekToS }),
    }
  }

  async #factsOf(clipId: string, { path }: OpenedClip, signal: AbortSignal) {
    const known = this.#facts.get(clipId)
    if (known !== undefined) return known
    const facts = await this.#probe(signal, () => readMediaFacts(path, { signal }))
    const found = { playing: playingOf(facts), durationS: facts.durationS }
    this.#facts.set(clipId, found)
    return found
  }

  async #copyStart(clipId: string, { path }: OpenedClip, startS: number, signal: AbortSignal) {
    const key = `${clipId} ${startS}`
    const known = this.#copyStarts.get(key)
    if (known !== undefined) return known.at
    const at = await this.#probe(signal, () => findCopyStart(path, startS, { signal }))
    this.#copyStarts.set(key, { at })
    return at
  }

  async #probe<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const giveBack = await this.#probes.take(signal)
    try {
      return await work()
    } finally {
      giveBack()
    }
  }
}
