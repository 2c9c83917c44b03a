import type { RgbImage } from '../image.js'
import { createContextFrames } from './context-frames.js'
import type { ContextEncoder, ContextFeature } from './encode-context.js'

/** Gathers what context encoders are fed of one segment. */
export interface SegmentContext {
  /** To be called with every frame, in order of time; its pixels are copied where they are needed. */
  addFrame(timeS: number, image: RgbImage): void
  /** One an encoder; none where no frame was seen. */
  encode(): Promise<ContextFeature[]>
}

/** Undefined where there is no encoder. */
export function createSegmentContext(encoders: readonly ContextEncoder[]): SegmentContext | undefined {
  if (encoders.length === 0) return undefined
  /** Each as every encoder takes it. */
  const frames = createContextFrames<readonly RgbImage[]>()
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
  }
}
