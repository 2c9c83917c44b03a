import pMap from 'p-map'
import type { BoxXyxyPx, PointPx } from '../data/geometry.js'
import type { RgbImage } from '../data/image.js'
import { paintCanvas } from './canvas.js'
import type { DetectedFace, Detector } from './detector.js'
import { suppressNonMaxima } from './nms.js'
import { planPasses, type DetectionPass } from './passes.js'

/**
 * Finds every face of at least `minFacePx` in an image, with as many detector passes as that needs. Boxes may extend
 * past the image's edge, as the face does. Sorted by score, best first.
 * @param minFacePx face height in pixels of this image
 */
export async function detectFaces(
  detector: Detector,
  image: RgbImage,
  minFacePx: number,
): Promise<DetectedFace[]> {
  const passes = planPasses(image, detector, minFacePx)
  // With a limit of 1, a pass begins when the previous one is done, so that scratch memory can be shared.
  const findIn = async (pass: DetectionPass) => {
    const canvas = paintCanvas(image, pass, detector.canvasWidthPx, detector.canvasHeightPx)
    const faces = await detector.detectOnCanvas(canvas)
    return faces
      .filter(({ boxXyxyPx }) => !isCutByTile(boxXyxyPx, pass, image))
      .map((face) => toImage(face, pass))
      .filter(({ boxXyxyPx: [, y1, , y2] }) => y2 - y1 <= pass.largestFacePx)
  }
  const found = await pMap(passes, findIn, { concurrency: detector.inFlight ?? 1 })
  return suppressNonMaxima(found.flat()).filter(
    ({ boxXyxyPx: box }) => box[3] - box[1] >= minFacePx * sizeTolerance,
  )
}

/**
 * Boxes of one face differ by about this factor between detectors and passes. A wanted face is not dropped for that.
 */
const sizeTolerance = 0.85

/** A face that touches a tile's inner edge lies whole in the next tile, or in the pass over the whole image. */
function isCutByTile([x1, y1, x2, y2]: BoxXyxyPx, pass: DetectionPass, image: RgbImage): boolean {
  const edge = 1
  return (
    (pass.xPx > 0 && x1 < edge) ||
    (pass.yPx > 0 && y1 < edge) ||
    (pass.xPx + pass.widthPx < image.width && x2 > pass.widthPx * pass.scale - edge) ||
    (pass.yPx + pass.heightPx < image.height && y2 > pass.heightPx * pass.scale - edge)
  )
}

function toImage(face: DetectedFace, pass: DetectionPass): DetectedFace {
  const x = (value: number) => value / pass.scale + pass.xPx
  const y = (value: number) => value / pass.scale + pass.yPx
  const point = (from: PointPx): PointPx => ({ x: x(from.x), y: y(from.y) })
  const [x1, y1, x2, y2] = face.boxXyxyPx
  const marks = face.landmarksPx
  return {
    boxXyxyPx: [x(x1), y(y1), x(x2), y(y2)],
    detectionScore: face.detectionScore,
    landmarksPx:
      marks === undefined
        ? undefined
        : [point(marks[0]), point(marks[1]), point(marks[2]), point(marks[3]), point(marks[4])],
  }
}
