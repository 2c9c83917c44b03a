import type { RgbImage } from '../data/image.js'
import { createContextFrames, type ContextFramesState } from './context-frames.js'
import type { ContextEncoder, ContextFeature } from './encode-context.js'

/** Gathers what context encoders are fed of one segment. */
export interface SegmentContext {
  /** To be called with every frame, in order of time; its pixels are copied where they are needed. */
  addFrame(timeS: number, image: RgbImage): void
  /** One an encoder; none where no frame was seen. */
  encode(): Promise<ContextFeature[]>
  /** All that it knows, for one of the same encoders that goes on from here. */
  snapshot(): SegmentContextState
}

/** The frames kept so far, each as every encoder takes it. */
export type SegmentContextState = ContextFramesState<readonly RgbImage[]>

/** Undefined where there is no encoder. */
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
