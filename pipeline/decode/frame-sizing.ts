import type { GraphSizes } from './ffmpeg-arguments.js'
import type { LoggedFrame } from './ffmpeg-log.js'
import type { DetectionRule, FrameSizes, SizePx } from './image-sizes.js'
import { displaySize, frameSizes, maxFullAreaPx, sizeForBoth } from './image-sizes.js'

/** Tracks the sizes of a run's frames. */
export class FrameSizing {
  readonly #planned: GraphSizes
  readonly #rule: DetectionRule
  #first: LoggedFrame | undefined
  #last: LoggedFrame | undefined
  #sizes: FrameSizes | undefined

  constructor(planned: GraphSizes, rule: DetectionRule) {
    this.#planned = planned
    this.#rule = rule
  }

  /** Sizes of the images that ffmpeg returns; undefined before the first frame. */
  get sizes(): FrameSizes | undefined {
    return this.#sizes
  }

  /** As displayed. */
  get firstSize(): SizePx | undefined {
    return this.#first === undefined ? undefined : displayed(this.#first)
  }

  /**
   * Notes the next frame. If this run cannot return it correctly, the result is the displayed size that all frames must
   * be fitted into.
   */
  note(frame: LoggedFrame): SizePx | undefined {
    const isSame = this.#last !== undefined && haveSameSize(this.#last, frame)
    this.#last = frame
    this.#first ??= frame
    const source = displayed(this.#first)
    const planned = this.#planned
    if (planned.kind === 'fixed') {
      this.#sizes ??= planned.sizes
      const needed = isSame ? planned.source : sizeForBoth(planned.source, displayed(frame))
      return needed === planned.source ? undefined : needed
    }
    this.#sizes ??= frameSizes(source, this.#rule)
    const isTooLarge = source.width * source.height > maxFullAreaPx
    return isTooLarge || !haveSameSize(this.#first, frame) ? sizeForBoth(source, displayed(frame)) : undefined
  }
}

const displayed = ({ size, sampleAspectRatio }: LoggedFrame) => displaySize(size, sampleAspectRatio)

function haveSameSize(a: LoggedFrame, b: LoggedFrame): boolean {
  return (
    a.size.width === b.size.width &&
    a.size.height === b.size.height &&
    a.sampleAspectRatio === b.sampleAspectRatio
  )
}
