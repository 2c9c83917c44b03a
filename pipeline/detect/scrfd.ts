import type { PointPx } from '../data/geometry.js'
import { outputByShape, strides } from './anchor-grid.js'
import type { DecodeOutputs, DetectedFace } from './detector.js'

/** Anchors per cell, both at the cell's corner. */
const anchors = 2

/**
 * SCRFD with key points (Guo et al., arXiv 2105.04714; InsightFace's export): for each stride, scores [n, 1], box
 * distances left, top, right, bottom [n, 4] and five points' offsets [n, 10], in units of the stride, from the corner
 * (column · stride, row · stride) of each cell.
 */
export const decodeScrfd: DecodeOutputs = (outputs, canvas, minScore) => {
  const faces: DetectedFace[] = []
  for (const stride of strides) {
    const columns = Math.ceil(canvas.widthPx / stride)
    const rows = Math.ceil(canvas.heightPx / stride) * columns * anchors
    const scores = outputByShape(outputs, rows, 1).data
    const distances = outputByShape(outputs, rows, 4).data
    const points = outputByShape(outputs, rows, 10).data
    for (let row = 0; row < rows; row++) {
      const detectionScore = scores[row] ?? 0
      if (detectionScore < minScore) continue
      const cell = Math.floor(row / anchors)
      const x = (cell % columns) * stride
      const y = Math.floor(cell / columns) * stride
      const distance = (at: number) => (distances[row * 4 + at] ?? 0) * stride
      const point = (at: number): PointPx => ({
        x: x + (points[row * 10 + at * 2] ?? 0) * stride,
        y: y + (points[row * 10 + at * 2 + 1] ?? 0) * stride,
      })
      faces.push({
        boxXyxyPx: [x - distance(0), y - distance(1), x + distance(2), y + distance(3)],
        detectionScore,
        landmarksPx: [point(0), point(1), point(2), point(3), point(4)],
      })
    }
  }
  return faces
}
