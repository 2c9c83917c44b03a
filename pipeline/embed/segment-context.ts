import type { RgbImage } from '../data/image.js'
import { createContextFrames, type ContextFramesState } from './context-frames.js'
import type { ContextEncoder, ContextFeature } from './encode-context.js'

/** Collects the inputs of context encoders for one segment. */
export interface SegmentContext {
  /** Call it with every frame, in order of time; its pixels are copied if they are needed. */
  addFrame(timeS: number, image: RgbImage): void
  /** One feature per encoder; none if there were no frames. */
  encode(): Promise<ContextFeature[]>
  /** The complete state, for a collector with the same encoders that continues from here. */
  snapshot(): SegmentContextState
}

/** The frames kept so far, each in every encoder's input size. */
export type SegmentContextState = ContextFramesState<readonly RgbImage[]>

/** Undefined if there are no encoders. */
export function createSegmentContext(
  encoders: readonly ContextEncoder[],
  from?: SegmentContextState,
): SegmentContext | undefined {
  if (encoders.length === 0) return undefined
  const frames = createContextFrames(from)
  return {
    addFrame(timeS, image) {
      frames.offer(timeS, () => encoders.map((encoder) => encoder.fit(image)))
    },
    async encode() {
      const { taken } = frames
      const features: ContextFeature[] = []
      if (taken.length > 0)
        for (const [at, encoder] of encoders.entries())
          features.push(await encoder.encode(taken.flatMap((fitted) => fitted[at] ?? [])))
      return features
    },
    snapshot: () => frames.snapshot(),
  }
}
