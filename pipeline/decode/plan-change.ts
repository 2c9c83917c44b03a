import type { SizePx } from './image-sizes.js'
import type { StreamInfo } from './stream-info.js'

/** Why a run of ffmpeg was stopped in favour of another one. */
export class RestartNeeded extends Error {
  constructor(readonly change: PlanChange) {
    super(`ffmpeg has to start again: ${change.kind}`)
  }
}

export type PlanChange =
  | { readonly kind: 'seekEarlier' }
  | { readonly kind: 'skipNonKey' }
  | { readonly kind: 'retime'; readonly retiming: string }
  | { readonly kind: 'chooseFilm'; readonly candidates: readonly StreamInfo[] }
  | { readonly kind: 'turn'; readonly degrees: number }
  | { readonly kind: 'logAllFrames' }
  /** The displayed size that all frames are fitted into. */
  | { readonly kind: 'fixSizes'; readonly source: SizePx }
