import { timeToleranceS } from '../decode/sampling.js'

/** No two frames of a segment are taken within this time, s. */
const firstIntervalS = 1

/** Frames of a segment that are encoded at most. */
export const maxContextFrames = 16

/** Chooses the frames of a segment that stand for it. */
export interface ContextFrames<T> {
  /** To be called with every frame, in order of time; `make` is called for those that are kept for now. */
  offer(timeS: number, make: () => T): void
  /** Those that are left, in order of time. */
  readonly taken: readonly T[]
  /** All that it knows, for one that goes on from here. */
  snapshot(): ContextFramesState<T>
}

export interface ContextFramesState<T> {
  readonly intervalS: number
  /** Time of the segment's first frame; undefined before it. */
  readonly originS?: number | undefined
  readonly kept: readonly { readonly timeS: number; readonly value: T }[]
}

/**
 * Of the sampled frames, the first of each second; where that makes more than 16, of each two seconds, four, and so on: 9
 * to 16 frames spread evenly over a segment of any length, which need not be known before its end. Seconds count from the
 * segment's first frame.
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
