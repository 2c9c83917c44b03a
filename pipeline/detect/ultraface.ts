import type { DecodeOutputs, DetectedFace } from './detector.js'

/**
 * UltraFace (Linzaer, Ultra-Light-Fast-Generic-Face-Detector-1MB): `scores` [1, n, 2] (background, face) and `boxes`
 * [1, n, 4], already decoded to relative corners.
 */
export const decodeUltraface: DecodeOutputs = (outputs, canvas, minScore) => {
  const scores = outputs.get('scores')?.data
  const boxes = outputs.get('boxes')?.data
  if (scores === undefined || boxes === undefined)
    throw new Error('an UltraFace model has the outputs scores, boxes')
  const faces: DetectedFace[] = []
  for (let i = 0; i * 2 + 1 < scores.length; i++) {
    const detectionScore = scores[i * 2 + 1] ?? 0
    if (detectionScore < minScore) continue
    const corner = (at: number, size: number) => (boxes[i * 4 + at] ?? 0) * size
    faces.push({
      boxXyxyPx: [
        corner(0, canvas.widthPx),
        corner(1, canvas.heightPx),
        corner(2, canvas.widthPx),
        corner(3, canvas.heightPx),
      ],
      detectionScore,
      landmarksPx: undefined,
    })
  }
  return faces
}
