import { once } from 'node:events'
import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import type { ClipFiles } from '../../../index/clips/clip-files.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import { copyStartS } from '../../../pipeline/decode/key-frame.js'
import { readMediaFacts, type MediaFacts } from '../../../pipeline/decode/media-facts.js'
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
  /** What ffmpeg has to be asked for; a copy then begins at `mediaStartS`. */
  readonly seekToS: number
  readonly leadS: number
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

/** What of a clip's file decides how it is played. */
interface KnownFacts extends Pick<MediaFacts, 'container' | 'durationS'> {
  readonly playing: Playing
}

/** ffmpeg goes to any packet of a transport stream. In most of them, a key frame comes at least this often, s. */
const transportLeadS = 10

/** Opens clips for players. */
export class MediaDesk {
  readonly #opener: ClipOpener
  readonly #streams: WorkSlots
  readonly #probes = new WorkSlots(mostProbes, probeWaitMs)
  readonly #stallTimeoutS: number | undefined
  readonly #stop = new AbortController()
  readonly #running = new Set<ClipStream>()
  /** By the id of a clip, which is its content. */
  readonly #facts = new BoundedMap<KnownFacts>(10_000)
  readonly #copyStarts = new BoundedMap<{ readonly atS: number | undefined }>(10_000)

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
    { playing, seekToS, leadS, mediaEndS = Infinity }: PlayPlan,
    signal: AbortSignal,
  ): Promise<ClipStream> {
    const stream = await streamClip({
      ...{ path, startS: seekToS, leadS, endS: mediaEndS },
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
    const { playing: own, durationS, container } = await this.#factsOf(clipId, opened, signal)
    const { startS } = range
    if (durationS !== undefined && startS >= durationS)
      throw new CameoError('RANGE_INVALID', `the clip ends at ${durationS.toFixed(3)} s`)
    if (own.kind === 'direct' && as === undefined)
      return { playing: own, durationS, mediaStartS: 0, seekToS: 0, leadS: 0, mediaEndS: undefined }
    const playing =
      own.kind === 'stream'
        ? own
        : { kind: 'stream' as const, copiesVideo: false, reason: 'it was asked for' }
    const copiedFromS = playing.copiesVideo
      ? await this.#copyStart(clipId, opened, startS, signal)
      : undefined
    const wantedEndS = Math.min(range.endS ?? startS + usualStreamS, startS + longestStreamS)
    return {
      ...{ durationS, mediaEndS: Math.min(wantedEndS, durationS ?? Infinity), seekToS: startS },
      ...{
        playing: { ...playing, copiesVideo: copiedFromS !== undefined },
        mediaStartS: copiedFromS ?? startS,
      },
      leadS: container === 'mpegts' ? transportLeadS : 0,
    }
  }

  async #factsOf(clipId: string, { path }: OpenedClip, signal: AbortSignal) {
    const known = this.#facts.get(clipId)
    if (known !== undefined) return known
    const facts = await this.#probe(signal, () => readMediaFacts(path, { signal }))
    const found = { playing: playingOf(facts), durationS: facts.durationS, container: facts.container }
    this.#facts.set(clipId, found)
    return found
  }

  async #copyStart(clipId: string, { path }: OpenedClip, startS: number, signal: AbortSignal) {
    const key = `${clipId} ${startS}`
    const known = this.#copyStarts.get(key)
    if (known !== undefined) return known.atS
    const atS = await this.#probe(signal, () => copyStartS(path, startS, { signal }))
    this.#copyStarts.set(key, { atS })
    return atS
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
