import { seenFilter, shownFilter } from './ffmpeg-arguments.js'
import { statesEnd } from './formats.js'
import type { SizePx } from './image-sizes.js'

/** One stream of the input, as ffmpeg's dump describes it. */
export interface StreamInfo {
  readonly index: number
  readonly type: string
  readonly codec: string
  /** Coded size; undefined where ffmpeg could not tell. */
  readonly size: SizePx | undefined
  readonly sampleAspectRatio: number
  readonly frameRate: number | undefined
  readonly isCover: boolean
  /** Degrees, counter-clockwise, from the display matrix. */
  readonly rotation: number
}

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
  readonly majorBrand: string | undefined
  readonly streams: readonly StreamInfo[]
}

export interface LogEvents {
  /** The input was opened and described; comes before the first frame. */
  onInput(input: InputInfo): void
  /** A stream's line, as soon as it is read: a frame may be too large to go on. */
  onStream?(stream: StreamInfo): void
  onSeen?(frame: LoggedFrame): void
  onShown?(frame: LoggedFrame): void
  /** Size of the raw frames that follow. */
  onOutputSize?(size: SizePx): void
  /** A message of level warning or above. */
  onProblem(level: ProblemLevel, text: string): void
}

export type ProblemLevel = 'warning' | 'error' | 'fatal'

const number = (text: string | undefined) => (text === undefined ? undefined : Number(text))

/** Reads the log of an ffmpeg run with `-loglevel level+info`, line by line. */
export class FfmpegLogReader {
  readonly #events: LogEvents
  /** Lines of the input's own name still to come: a name may hold line breaks and must not be read as log. */
  #nameLinesLeft = 0
  readonly #breaksInName: number
  #section: 'start' | 'input' | 'running' | 'output' = 'start'
  #container = ''
  #durationS: number | undefined
  #durationEstimated = false
  #majorBrand: string | undefined
  #streams: StreamInfo[] = []
  readonly #timeBases = new Map<string, number>()

  constructor(inputName: string, events: LogEvents) {
    this.#breaksInName = inputName.match(/\r\n|\r|\n/g)?.length ?? 0
    this.#events = events
  }

  read(line: string): void {
    if (this.#nameLinesLeft > 0) {
      this.#nameLinesLeft -= 1
      return
    }
    if (line.startsWith('[showinfo@')) {
      this.#readFrame(line)
      return
    }
    const message = /^(?:\[.*? @ 0x[0-9a-f]+\] )?\[(info|warning|error|fatal|panic)\] (.*)$/s.exec(line)
    if (message === null) return
    const [, level = '', text = ''] = message
    if (text.includes('Estimating duration from bitrate')) this.#durationEstimated = true
    if (level === 'info') {
      this.#readDump(text)
      return
    }
    // The component's name matters ("[jpeg_pipe @ 0x…] Format not on whitelist"), its address does not.
    const component = /^\[(.*?) @ 0x/.exec(line)?.[1]
    this.#events.onProblem(
      level === 'warning' || level === 'error' ? level : 'fatal',
      component === undefined ? text : `[${component}] ${text}`,
    )
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
        majorBrand: this.#majorBrand,
        streams: this.#streams,
      })
    } else if (text.startsWith('Output #0')) {
      this.#section = 'output'
    } else if (this.#section === 'input') {
      this.#readInput(text)
    } else if (this.#section === 'output') {
      const size = /^ {2}Stream #0:0: Video: rawvideo .*?, (\d+)x(\d+)/.exec(text)
      if (size === null) return
      this.#section = 'running'
      this.#events.onOutputSize?.({ width: Number(size[1]), height: Number(size[2]) })
    }
  }

  #readInput(text: string): void {
    if (text.startsWith('  Duration: ')) {
      this.#durationS = parseDuration(text, this.#container)
      return
    }
    const brand = /^ {4}major_brand +: (\S+)/.exec(text)
    if (brand !== null) {
      this.#majorBrand = brand[1]
      return
    }
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

  #readFrame(line: string): void {
    const filter = line.slice(1, line.indexOf(' '))
    const timeBase = /\] config in time_base: (\d+)\/(\d+)/.exec(line)
    if (timeBase !== null) {
      this.#timeBases.set(filter, Number(timeBase[1]) / Number(timeBase[2]))
      return
    }
    const fields = / pts: *(-?\d+|NOPTS) .* sar:(\d+)\/(\d+) s:(\d+)x(\d+) .*iskey:(\d)/.exec(line)
    if (fields === null) return
    // pts_time is printed with six digits only: 0.01 s after a quarter of an hour. Hence the ticks.
    const ticks = fields[1] === 'NOPTS' ? 0 : Number(fields[1])
    const frame: LoggedFrame = {
      timeS: ticks * (this.#timeBases.get(filter) ?? Number.NaN),
      isKey: fields[6] === '1',
      size: { width: Number(fields[4]), height: Number(fields[5]) },
      sampleAspectRatio: ratio(fields[2], fields[3]),
    }
    if (filter === seenFilter) this.#events.onSeen?.(frame)
    else if (filter === shownFilter) this.#events.onShown?.(frame)
  }
}

/** `Duration: 02:00:04.00, start: 7200.000000, bitrate: 0 kb/s`, or `Duration: N/A, …`: the clip's length. */
function parseDuration(text: string, container: string): number | undefined {
  const duration = /^ {2}Duration: (\d+):(\d\d):(\d\d\.\d+)(?:, start: (\d+\.\d+))?/.exec(text)
  if (duration === null) return undefined
  const [hours = 0, minutes = 0, seconds = 0, startS = 0] = duration
    .slice(1)
    .map((digits: string | undefined) => Number(digits ?? 0))
  const statedS = hours * 3600 + minutes * 60 + seconds
  // Some writers of these containers state the length all the same, fragmented MP4 among them.
  return statesEnd(container) && statedS > startS ? statedS - startS : statedS
}

/** `Stream #0:0[0x1](und): Video: h264 (High) (avc1 / 0x31637661), yuv420p, 320x240 [SAR 1:1 DAR 4:3], … 25 fps, …` */
function parseStream(text: string): StreamInfo | undefined {
  const head = /^ {2,4}Stream #0:(\d+)(?:\[0x[0-9a-f]+\])?(?:\([^)]*\))?: (\w+): (\S+?)(?:,| |$)(.*)$/.exec(
    text,
  )
  if (head === null) return undefined
  const [, index, type = '', codec = '', details = ''] = head
  const size = /, (\d+)x(\d+)(?: \[SAR (\d+):(\d+) DAR)?/.exec(details)
  // Where the container disagrees with the codec, its ratio follows and wins.
  const containerRatio = /, SAR (\d+):(\d+) DAR/.exec(details)
  return {
    index: Number(index),
    type,
    codec,
    size: size === null ? undefined : { width: Number(size[1]), height: Number(size[2]) },
    sampleAspectRatio:
      containerRatio === null ? ratio(size?.[3], size?.[4]) : ratio(containerRatio[1], containerRatio[2]),
    frameRate: number(/, ([\d.]+) fps/.exec(details)?.[1]),
    isCover: details.includes('(attached pic)') || details.includes('(timed thumbnails)'),
    rotation: 0,
  }
}

/** Unknown ratios (0:1) count as square. */
function ratio(numerator: string | undefined, denominator: string | undefined): number {
  const value = Number(numerator) / Number(denominator)
  return Number.isFinite(value) && value > 0 ? value : 1
}

/** The stream that `0:V:0` chooses: the first video stream that is not cover art. */
export function firstVideo(streams: readonly StreamInfo[]): StreamInfo | undefined {
  return streams
    .filter((stream) => stream.type === 'Video' && !stream.isCover)
    .reduce<StreamInfo | undefined>(
      (first, stream) => (first === undefined || stream.index < first.index ? stream : first),
      undefined,
    )
}
