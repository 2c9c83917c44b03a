import { createToTensor } from '../image/image-tensor.js'
import type { BoxXyxyPx, Landmarks5Px, PointPx } from '../data/geometry.js'
import type { RgbImage } from '../data/image.js'
import type { LandmarkerSpec } from '../models/packs/pack.js'
import type { Model } from '../models/session.js'
import { cropScaled } from '../image/warp.js'

export interface Landmarker {
  /** Number of faces worth processing at the same time: see `Model`. */
  readonly inFlight?: number | undefined
  findLandmarks(image: RgbImage, boxXyxyPx: BoxXyxyPx): Promise<Landmarks5Px>
}

/** Which of the 68 points (iBUG 300-W numbering from 0) are averaged into each of the five. */
const fiveOf68: readonly (readonly number[])[] = [
  [37, 38, 40, 41],
  [43, 44, 46, 47],
  [30],
  [48, 60],
  [54, 64],
]

/** 68-point landmarks on a grey crop of the squared face box; output [1, 136], relative to the crop. */
export function createLandmarker(spec: LandmarkerSpec, model: Model): Landmarker {
  const toTensor = createToTensor(spec.input)
  return {
    inFlight: model.inFlight,
    async findLandmarks(image, [x1, y1, x2, y2]) {
      const sidePx = Math.max(x2 - x1, y2 - y1)
      const xPx = (x1 + x2 - sidePx) / 2
      const yPx = (y1 + y2 - sidePx) / 2
      const crop = cropScaled(image, xPx, yPx, sidePx, spec.input.widthPx)
      const outputs = await model.run(toTensor(crop))
      const points = [...outputs.values()][0]?.data
      if (points?.length !== 136) throw new Error('a 68-point landmarker must have one output of 136 values')
      const mean = (indexes: readonly number[]): PointPx => {
        let x = 0
        let y = 0
        for (const index of indexes) {
          x += points[index * 2] ?? 0
          y += points[index * 2 + 1] ?? 0
        }
        return { x: xPx + (x / indexes.length) * sidePx, y: yPx + (y / indexes.length) * sidePx }
      }
      const [leftEye = [], rightEye = [], nose = [], leftMouth = [], rightMouth = []] = fiveOf68
      return [mean(leftEye), mean(rightEye), mean(nose), mean(leftMouth), mean(rightMouth)]
    },
  }
}
