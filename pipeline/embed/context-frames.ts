import { timeToleranceS } from '../decode/sampling.js'

/** At most one frame of a segment is taken within this time, s. */
const firstIntervalS = 1

/** Largest number of encoded frames per segment. */
export const maxContextFrames = 16

/** Chooses the frames of a segment that represent it. */
export interface ContextFrames<T> {
  /** Call it with every frame, in order of time. It calls `make` for each frame that is kept for now. */
  offer(timeS: number, make: () => T): void
  /** The kept frames, in order of time. */
  readonly taken: readonly T[]
  /** The complete state, for a chooser that continues from here. */
  snapshot(): ContextFramesState<T>
}

export interface ContextFramesState<T> {
  readonly intervalS: number
  /** Time of the segment's first frame; undefined before it. */
  readonly originS?: number | undefined
  readonly kept: readonly { readonly timeS: number; readonly value: T }[]
}

/**
 * Takes the first sampled frame of each second. If that gives more than 16 frames, it takes the first of each two
 * seconds, then of four, and so on: 9 to 16 frames, spread evenly over a segment of any length, which need not be known
 * before its end. Seconds count from the segment's first frame.
 */
export function createContextFrames<T>(from?: ContextFramesState<T>): ContextFrames<T> {
  let intervalS = from?.intervalS ?? firstIntervalS
  let originS = from?.originS
  let kept = [...(from?.kept ?? [])]

  const slotOf = (timeS: number) => Math.floor((timeS - (originS ?? timeS) + timeToleranceS) / intervalS)

  function thin(): void {
    intervalS *= 2
    let before = -1
    kept = kept.filter(({ timeS }) => {
      const slot = slotOf(timeS)
      const isFirst = slot > before
      before = slot
      return isFirst
    })
  }

  return {
    offer(timeS, make) {
      originS ??= timeS
      const last = kept.at(-1)
      if (last !== undefined && slotOf(timeS) <= slotOf(last.timeS)) return
      kept.push({ timeS, value: make() })
      while (kept.length > maxContextFrames) thin()
    },
    get taken() {
      return kept.map(({ value }) => value)
    },
    snapshot: () => ({ intervalS, originS, kept: [...kept] }),
  }
}
