import { clips } from '../api.js'
import type { Playback } from '../types.js'

/** What the player shows. */
export interface Playing {
  readonly clipId: string
  readonly path: string
  readonly durationS: number | undefined
  /** The stretch that was asked for, s. */
  readonly startS: number
  readonly endS: number
  /** All stretches of the clip, for the buttons that go on and back. */
  readonly ranges: readonly { readonly startS: number; readonly endS: number }[]
}

/** Seconds that are shown before a hit. */
const leadS = 1

class PlayerStore {
  current = $state.raw<Playing>()
  playback = $state.raw<Playback>()
  problem = $state.raw<unknown>()
  /** Grows with each request to play, so that the same stretch starts again. */
  turn = $state(0)

  get fromS(): number {
    return Math.max(0, (this.current?.startS ?? 0) - leadS)
  }

  async play(wanted: Playing): Promise<void> {
    const own = ++this.turn
    const isSame = this.current?.clipId === wanted.clipId && this.playback?.direct === true
    this.current = wanted
    this.problem = undefined
    if (isSame) return
    this.playback = undefined
    try {
      const playback = await clips.playback(wanted.clipId, this.fromS, wanted.endS)
      if (own === this.turn) this.playback = playback
    } catch (error) {
      if (own === this.turn) this.problem = error
    }
  }

  /** The next stretch of the clip, or the one before. */
  step(by: 1 | -1): void {
    const { current } = this
    if (current === undefined) return
    const next = current.ranges[this.place + by]
    if (next !== undefined) void this.play({ ...current, ...next })
  }

  get place(): number {
    return this.current?.ranges.findIndex(({ startS }) => startS === this.current?.startS) ?? -1
  }

  close(): void {
    this.turn++
    this.current = undefined
    this.playback = undefined
  }
}

export const player = new PlayerStore()
