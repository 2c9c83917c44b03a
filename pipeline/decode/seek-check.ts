import { clipName } from '../common/display-name.js'
import { CameoError } from '../common/errors.js'
import type { DecodePlan } from './ffmpeg-arguments.js'
import type { LoggedFrame } from './ffmpeg-log.js'
import { RestartNeeded } from './plan-change.js'
import { boundarySlot, slotOf, timeToleranceS } from './sampling.js'

/** Whether a seek came down early enough: at or before a key frame that the range's first frame can be decoded from. */
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
   * Looks at the next decoded frame.
   * @returns why the run is no use: CLIP_NOT_SEEKABLE, or that another run has to seek earlier
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
    // Without one a frame of the range may be missing or lack its references.
    return !this.#hasAnchor && slotOf(timeS, sampling) >= boundarySlot(range.startS, sampling)
      ? new RestartNeeded({ kind: 'seekEarlier' })
      : undefined
  }
}
