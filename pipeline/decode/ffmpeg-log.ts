import { decodedFilter, seenFilter, shownFilter } from './ffmpeg-arguments.js'
import { statesEnd } from './formats.js'
import type { SizePx } from './image-sizes.js'
import type { StreamInfo } from './stream-info.js'
import { parseStream, ratio } from './stream-info.js'

/** A frame as showinfo reports it. */
export interface LoggedFrame {
  readonly timeS: number
  readonly isKey: boolean
  /** Rotated, before scaling. */
  readonly size: SizePx
  readonly sampleAspectRatio: number
}

export interface InputInfo {
  /** ffmpeg's name of the container, e.g. `mov,mp4,m4a,3gp,3g2,mj2`. */
  readonly container: string
  readonly durationS: number | undefined
  readonly durationEstimated: boolean
  /** Of an MP4-like file: the major brand first, then the compatible brands. */
  readonly brands: readonly string[]
  readonly streams: readonly StreamInfo[]
  /** Of the first frame, as the file says it: `10:00:00:00`, or `10:00:00;00` for drop frame. */
  readonly timecode?: string
}

export interface LogEvents {
  /** The input was opened and described; comes before the first frame. */
  onInput(input: InputInfo): void
  /** A stream's line, as soon as it is read: the frames may be too large to continue. */
  onStream?(stream: StreamInfo): void
  /** Called if every decoded frame is logged. A frame is decoded before it is seen or shown. */
  onDecoded?(frame: LoggedFrame): void
  onSeen?(frame: LoggedFrame): void
  onShown?(frame: LoggedFrame): void
  /**
   * ffmpeg rebuilt its filters: frames have another size or rotation, and the frames that the filters held are lost.
   */
  onRebuilt?(): void
  /** The last logged frame says that it lies on its side. Degrees, counter-clockwise. */
  onOrientation?(degrees: number): void
  /** The decoder made up this many blocks of 16×16 pixels of its next frame. */
  onConcealed?(blocks: number): void
  /** Size of the raw frames. Not called if another message tore the dump's line. */
  onOutputSize?(size: SizePx): void
  /** A frame's time cannot be determined: the times of later frames would be assigned to it. */
  onLost?(): void
  /** A message of level warning or above. */
  onProblem(level: ProblemLevel, text: string): void
}

export type ProblemLevel = 'warning' | 'error' | 'fatal'

/**
 * The part of a frame's line that showinfo prints at once, then text that another thread added before the line's end.
 */
const frameText =
  /n: *(\d+) pts: *(-?\d+|NOPTS) .* sar:(\d+)\/(\d+) s:(\d+)x(\d+) .*iskey:(\d) type:\S ?(.*)$/

/** What decoders with error resilience report about a frame that they repaired (libavcodec/error_resilience.c). */
const concealedText = /^concealing (\d+) DC, /

/** What showinfo reports besides frames if no other message tore the line; side data may be anything. */
const otherText =
  /^(config (in|out) time_base: \S+ frame_rate: \S+|color_range:\w+ color_space:\S+ color_primaries:\S+ color_trc:[\w-]+)?$/

/**
 * Reads the log of an ffmpeg run with `-loglevel level+info`, line by line.
 *
 * Since ffmpeg 7.0, demuxer, decoder and filters run in separate threads. A line that ffmpeg prints in pieces may be
 * torn: the message of another thread follows the first piece, without its own prefix, up to its line break. So a frame
 * may follow a demuxer's message, a demuxer's message may follow a frame, and both may stand in the middle of a dump's
 * line.
 */
export class FfmpegLogReader {
  readonly #events: LogEvents
  /**
   * Lines of the input's own name that are still to come. A name may contain line breaks and must not be read as log.
   */
  #nameLinesLeft = 0
  readonly #breaksInName: number
  #section: 'start' | 'input' | 'running' | 'output' = 'start'
  #container = ''
  #durationS: number | undefined
  #durationEstimated = false
  #brands: string[] = []
  #streams: StreamInfo[] = []
  #timecode: string | undefined
  readonly #timeBases = new Map<string, number>()
  /** The number of each filter's next frame. */
  readonly #nextFrames = new Map<string, number>()

  constructor(inputName: string, events: LogEvents) {
    this.#breaksInName = inputName.match(/\r\n|\r|\n/g)?.length ?? 0
    this.#events = events
  }

  read(line: string): void {
    if (this.#nameLinesLeft > 0) {
      this.#nameLinesLeft -= 1
      return
    }
    const showinfo = /^\[(showinfo@\w+) @ 0x[0-9a-f]+\] \[info\] (.*)$/s.exec(line)
    if (showinfo !== null) {
      const [, filter = '', text = ''] = showinfo
      this.#readShowinfo(filter, text)
      return
    }
    // Text of the file itself comes before the frames: its name, its title.
    if (this.#section === 'running' || this.#section === 'output') this.#readTornFrame(line)
    const message = /^(?:\[.*? @ 0x[0-9a-f]+\] )?\[(info|warning|error|fatal|panic)\] (.*)$/s.exec(line)
    if (message === null) return
    const [, level = '', text = ''] = message
    if (text.includes('Estimating duration from bitrate')) this.#durationEstimated = true
    if (level === 'info') {
      this.#readDump(text)
      return
    }
    // The component's name matters ("[jpeg_pipe @ 0x…] Format not on whitelist"). Its address does not matter; ffmpeg
    // 9's prefix "in#0/" of a demuxer is removed.
    const component = /^\[(?:in#0\/)?(.*?) @ 0x/.exec(line)?.[1]
    this.#events.onProblem(
      level === 'warning' || level === 'error' ? level : 'fatal',
      component === undefined ? text : `[${component}] ${text}`,
    )
  }

  #readShowinfo(filter: string, text: string): void {
    const timeBase = /^config in time_base: (\d+)\/(\d+)/.exec(text)
    if (timeBase !== null) {
      if (this.#timeBases.has(filter)) this.#events.onRebuilt?.()
      this.#timeBases.set(filter, Number(timeBase[1]) / Number(timeBase[2]))
      this.#nextFrames.set(filter, 0)
    }
    const frame = frameText.exec(text)
    if (frame !== null) this.#readFrame(filter, frame)
    const orientation = /side data - displaymatrix: rotation of (-?[\d.]+) degrees/.exec(text)
    if (orientation !== null) this.#events.onOrientation?.(Number(orientation[1]))
    const rest = frame?.[8] ?? text
    if (!otherText.test(rest)) this.#readTornWords(rest)
  }

  /**
   * Text that may contain another thread's message. Its sender is lost; the messages that matter come from the demuxer.
   */
  #readTornWords(text: string): void {
    this.#events.onProblem('warning', `[${this.#container}] ${text}`)
  }

  /**
   * A frame after another thread's message, without the filter's name: the frame's number tells which filter it was.
   */
  #readTornFrame(line: string): void {
    const frame = frameText.exec(line)
    if (frame === null) return
    // A frame is decoded first, then seen, then shown.
    const filter = [decodedFilter, seenFilter, shownFilter].find(
      (name) => this.#nextFrames.get(name) === Number(frame[1]),
    )
    if (filter === undefined) this.#events.onLost?.()
    else this.#readFrame(filter, frame)
  }

  #readDump(text: string): void {
    const input = /^Input #0, (.+?), from '/.exec(text)
    if (input !== null) {
      this.#section = 'input'
      this.#container = input[1] ?? ''
      this.#nameLinesLeft = this.#breaksInName
    } else if (text === 'Stream mapping:') {
      this.#section = 'running'
      this.#events.onInput({
        container: this.#container,
        durationS: this.#durationS,
        durationEstimated: this.#durationEstimated,
        brands: this.#brands,
        streams: this.#streams,
        ...(this.#timecode === undefined ? {} : { timecode: this.#timecode }),
      })
    } else if (text.startsWith('Output #0')) {
      this.#section = 'output'
    } else if (this.#section === 'input') {
      this.#readInput(text)
    } else if (concealedText.test(text)) {
      this.#events.onConcealed?.(Number(concealedText.exec(text)?.[1]))
    } else if (this.#section === 'output') {
      const size = /^ {2}Stream #0:0: Video: rawvideo .*?, (\d+)x(\d+)/.exec(text)
      if (size !== null) this.#events.onOutputSize?.({ width: Number(size[1]), height: Number(size[2]) })
      if (size === null || !text.endsWith(' tbn')) this.#readTornWords(text)
    }
  }

  #readInput(text: string): void {
    if (text.startsWith('  Duration: ')) {
      this.#durationS = parseDuration(text, this.#container)
      return
    }
    const brands = /^ {4}(?:major_brand|compatible_brands) *: (\S+)/.exec(text)
    if (brands !== null) {
      this.#brands.push(...(brands[1]?.match(/.{4}/g) ?? []))
      return
    }
    this.#timecode ??= /^ +timecode +: (\d\d:\d\d:\d\d[:;.]\d\d)$/.exec(text)?.[1]
    const rotation = /^ +displaymatrix: rotation of (-?[\d.]+) degrees/.exec(text)
    const last = this.#streams.at(-1)
    if (rotation !== null && last !== undefined) {
      this.#streams[this.#streams.length - 1] = { ...last, rotation: Number(rotation[1]) }
      return
    }
    const stream = parseStream(text)
    if (stream === undefined) return
    this.#streams.push(stream)
    this.#events.onStream?.(stream)
  }

  #readFrame(filter: string, fields: RegExpExecArray): void {
    const n = Number(fields[1])
    const timeBase = this.#timeBases.get(filter)
    // A graph that ffmpeg rebuilt counts from 0.
    if (timeBase === undefined || (n !== 0 && n !== this.#nextFrames.get(filter))) {
      this.#events.onLost?.()
      return
    }
    this.#nextFrames.set(filter, n + 1)
    // pts_time has only six digits: after a quarter of an hour that is 0.01 s. So the ticks are used.
    const ticks = fields[2] === 'NOPTS' ? 0 : Number(fields[2])
    const frame: LoggedFrame = {
      timeS: ticks * timeBase,
      isKey: fields[7] === '1',
      size: { width: Number(fields[5]), height: Number(fields[6]) },
      sampleAspectRatio: ratio(fields[3], fields[4]),
    }
    if (filter === decodedFilter) this.#events.onDecoded?.(frame)
    else if (filter === seenFilter) this.#events.onSeen?.(frame)
    else if (filter === shownFilter) this.#events.onShown?.(frame)
  }
}

/**
 * `Duration: 02:00:04.00, start: 7200.000000, bitrate: 0 kb/s`, or `Duration: N/A, …`; the result is the clip's length.
 * A duration of 0 means unknown.
 */
function parseDuration(text: string, container: string): number | undefined {
  const duration = /^ {2}Duration: (\d+):(\d\d):(\d\d\.\d+)(?:, start: (\d+\.\d+))?/.exec(text)
  if (duration === null) return undefined
  const [hours = 0, minutes = 0, seconds = 0, startS = 0] = duration
    .slice(1)
    .map((digits: string | undefined) => Number(digits ?? 0))
  const statedS = hours * 3600 + minutes * 60 + seconds
  if (statedS === 0) return undefined
  // Some writers of these containers state the length instead, for example of fragmented MP4.
  return statesEnd(container) && statedS > startS ? statedS - startS : statedS
}
