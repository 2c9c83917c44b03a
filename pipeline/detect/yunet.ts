import type { PointPx } from '../data/geometry.js'
import { outputOf, strides } from './anchor-grid.js'
import type { DecodeOutputs, DetectedFace } from './detector.js'

/**
 * YuNet (Wu et al., Machine Intelligence Research 2023; libfacedetection.train's export): for each stride, cls and obj
 * [n, 1] (probabilities), bbox [n, 4] (centre offset and log size) and kps [n, 10], in units of the stride, from the
 * corner of each cell. The score is √(cls · obj).
 */
export const decodeYunet: DecodeOutputs = (outputs, canvas, minScore) => {
  const faces: DetectedFace[] = []
  for (const stride of strides) {
    const columns = Math.ceil(canvas.widthPx / stride)
    const cls = outputOf(outputs, `cls_${stride}`).data
    const obj = outputOf(outputs, `obj_${stride}`).data
    const bbox = outputOf(outputs, `bbox_${stride}`).data
    const kps = outputOf(outputs, `kps_${stride}`).data
    for (let cell = 0; cell < cls.length; cell++) {
      const detectionScore = Math.sqrt(clampUnit(cls[cell] ?? 0) * clampUnit(obj[cell] ?? 0))
      if (detectionScore < minScore) continue
      const column = cell % columns
      const row = Math.floor(cell / columns)
      const box = (at: number) => bbox[cell * 4 + at] ?? 0
      const centreX = (column + box(0)) * stride
      const centreY = (row + box(1)) * stride
      const width = Math.exp(box(2)) * stride
      const height = Math.exp(box(3)) * stride
      const point = (at: number): PointPx => ({
        x: (column + (kps[cell * 10 + at * 2] ?? 0)) * stride,
        y: (row + (kps[cell * 10 + at * 2 + 1] ?? 0)) * stride,
      })
      faces.push({
        boxXyxyPx: [centreX - width / 2, centreY - height / 2, centreX + width / 2, centreY + height / 2],
        detectionScore,
        landmarksPx: [point(0), point(1), point(2), point(3), point(4)],
      })
    }
  }
  return faces
}

const clampUnit = (value: number) => Math.min(1, Math.max(0, value))
