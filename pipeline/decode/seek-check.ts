import { clipName } from '../common/display-name.js'
import { CameoError } from '../common/errors.js'
import type { DecodePlan } from './ffmpeg-arguments.js'
import type { LoggedFrame } from './ffmpeg-log.js'
import { RestartNeeded } from './plan-change.js'
import { boundarySlot, slotOf, timeToleranceS } from './sampling.js'

/**
 * Checks that a seek landed early enough: at or before a key frame from which the range's first frame can be decoded.
 */
export class SeekCheck {
  readonly #path: string
  readonly #plan: Pick<DecodePlan, 'sampling' | 'range'>
  #lastSeenS = Number.NEGATIVE_INFINITY
  #hasAnchor = false

  constructor(path: string, plan: Pick<DecodePlan, 'sampling' | 'range'>) {
    this.#path = path
    this.#plan = plan
  }

  /** A key frame at or before the range's start was seen. */
  get hasAnchor(): boolean {
    return this.#hasAnchor
  }

  /**
   * Checks the next decoded frame.
   * @returns why the run cannot be used: CLIP_NOT_SEEKABLE, or another run has to seek earlier
   */
  note({ timeS, isKey }: Pick<LoggedFrame, 'timeS' | 'isKey'>): Error | undefined {
    const { sampling, range } = this.#plan
    if (timeS < this.#lastSeenS - 1)
      return new CameoError(
        'CLIP_NOT_SEEKABLE',
        `the clock of ${clipName(this.#path)} jumps back at ${this.#lastSeenS.toFixed(2)} s: decode it in one pass`,
      )
    this.#lastSeenS = timeS
    this.#hasAnchor ||= isKey && timeS <= range.startS + timeToleranceS
    // Without such a key frame, a frame of the range may be missing or lack its reference frames.
    return !this.#hasAnchor && slotOf(timeS, sampling) >= boundarySlot(range.startS, sampling)
      ? new RestartNeeded({ kind: 'seekEarlier' })
      : undefined
  }
}
