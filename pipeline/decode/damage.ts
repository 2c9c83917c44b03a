import type { LoggedFrame } from './ffmpeg-log.js'
import type { ProblemLevel } from './ffmpeg-log.js'
import type { TimeRange } from './sampling.js'

/** ffmpeg's own warnings, for any codec, that the data read or decoded is damaged. */
const damageWarning = /corrupt decoded frame|corrupt input packet|Packet corrupt/

/** Messages that also occur for clips without a wrong picture, and messages that are not about the input. */
const harmless =
  /non monoton|SEI type|mmco|number of reference frames|^\[(rawvideo|out|vost|swscaler|Parsed_|auto_)/

/** Whether a message shows that a part of the clip may not be decoded correctly. */
export function isDamageSign(level: ProblemLevel, text: string): boolean {
  return level === 'warning' ? damageWarning.test(text) : !harmless.test(text)
}

/** Share of a frame's blocks. If fewer are made up, a face usually still looks as it was. */
const concealedPart = 0.1

/**
 * Number of frames that a decoder may hold back: the message about a frame comes before frames that are shown earlier.
 */
const reorderedFrames = 16

/** Sampling misses shorter gaps as well, and a recording may begin within a group of pictures. Seconds. */
const leastGapS = 0.25
const leastGapAtStartS = 1

/**
 * After this time without a key frame the picture has healed by itself: encoders renew each block from time to time.
 */
const healingS = 10

/**
 * Finds the stretches of a clip that differ from what was recorded: frames are missing, or decoders made them up. The
 * frames after such a frame are predicted from it, up to the next key frame. The log receives each decoded frame in
 * order, and ffmpeg's messages between them. A distance between two frames is a gap only if ffmpeg reports a problem: a
 * slide show has such distances, too.
 */
export class DamageLog {
  readonly #gaps: TimeRange[] = []
  readonly #steps: number[] = []
  readonly #startsAtZero: boolean
  #lastS: number | undefined
  /** Number of decoded frames since the last sign of damage. */
  #framesSinceSign = Infinity
  #lastSignS = Number.NEGATIVE_INFINITY
  #isCorrupt = false
  #concealedBlocks: number | undefined
  /** Start of the stretch that has not ended yet. */
  #lostSinceS: number | undefined

  /** @param startsAtZero the first frame should be the clip's first */
  constructor(startsAtZero: boolean) {
    this.#startsAtZero = startsAtZero
  }

  /** In order of time, without overlaps; a stretch that has not ended yet is not included. */
  get gaps(): readonly TimeRange[] {
    const joined: TimeRange[] = []
    // A damaged time may be far ahead.
    for (const gap of [...this.#gaps].sort((a, b) => a.startS - b.startS)) {
      const last = joined.at(-1)
      if (last === undefined || gap.startS > last.endS) joined.push(gap)
      else joined[joined.length - 1] = { startS: last.startS, endS: Math.max(last.endS, gap.endS) }
    }
    return joined
  }

  get sawFrames(): boolean {
    return this.#lastS !== undefined
  }

  noteSign(text: string): void {
    this.#framesSinceSign = 0
    this.#lastSignS = this.#lastS ?? 0
    if (text.includes('corrupt decoded frame')) this.#isCorrupt = true
  }

  noteConcealed(blocks: number): void {
    this.#concealedBlocks = Math.max(blocks, this.#concealedBlocks ?? 0)
  }

  noteDecoded(frame: LoggedFrame): void {
    const { timeS, isKey } = frame
    const isMadeUp = this.#takeMadeUp(frame)
    const missingFromS = this.#missingBefore(timeS)
    this.#lostSinceS ??= missingFromS ?? (isMadeUp ? timeS : undefined)
    const isRenewed = (isKey && !isMadeUp) || timeS - this.#lastSignS > healingS
    if (this.#lostSinceS !== undefined && isRenewed) this.#close(timeS)
    if (this.#lastS !== undefined && missingFromS === undefined) this.#noteStep(timeS - this.#lastS)
    this.#framesSinceSign += 1
    this.#lastS = timeS
  }

  /** Whether a decoded frame lies in a damaged stretch. */
  isLost(timeS: number): boolean {
    if (this.#lostSinceS !== undefined && timeS >= this.#lostSinceS) return true
    return this.#gaps.some(({ startS, endS }) => timeS >= startS && timeS < endS)
  }

  /** @param endS of the clip or of the range that was decoded; undefined if it is not known */
  finish(endS: number | undefined): void {
    const lastS = this.#lastS
    if (lastS === undefined) return
    if (this.#lostSinceS === undefined && endS !== undefined) this.#lostSinceS = this.#missingBefore(endS)
    this.#close(Math.max(endS ?? 0, lastS + this.#usualStepS))
  }

  #close(endS: number): void {
    const startS = this.#lostSinceS
    this.#lostSinceS = undefined
    if (startS !== undefined && endS - startS > 0) this.#gaps.push({ startS, endS })
  }

  /** Start of the missing frames before the next frame; undefined if none are missing. */
  #missingBefore(timeS: number): number | undefined {
    if (this.#framesSinceSign > reorderedFrames) return undefined
    if (this.#lastS === undefined) return this.#startsAtZero && timeS > leastGapAtStartS ? 0 : undefined
    const stepS = this.#usualStepS
    const missingS = timeS - this.#lastS - stepS
    return missingS > Math.max(leastGapS, 1.5 * stepS) ? this.#lastS + stepS : undefined
  }

  #takeMadeUp({ size }: LoggedFrame): boolean {
    const blocks = Math.ceil(size.width / 16) * Math.ceil(size.height / 16)
    const isMadeUp = this.#isCorrupt && (this.#concealedBlocks ?? blocks) >= blocks * concealedPart
    if (this.#isCorrupt) this.#concealedBlocks = undefined
    this.#isCorrupt = false
    return isMadeUp
  }

  /** Usual distance between consecutive frames: the median of the last distances. */
  get #usualStepS(): number {
    const sorted = [...this.#steps].sort((a, b) => a - b)
    return sorted[sorted.length >> 1] ?? 0
  }

  #noteStep(stepS: number): void {
    if (stepS <= 0) return
    this.#steps.push(stepS)
    if (this.#steps.length > reorderedFrames) this.#steps.shift()
  }
}
