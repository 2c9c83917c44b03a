import { boxArea, intersectionArea, iou } from '../data/geometry.js'
import type { DetectedFace } from './detector.js'

/** UltraFace's own value. At 0.4, a phantom between two heads side by side survives along with both heads. */
const sameFaceIou = 0.3

/**
 * If this share of a box lies inside another box, it is a part of the same face. Tiles and scales see a large face both
 * whole and in parts (an eye, a mouth), and the IoU of a part with the whole is small.
 */
const partOfFaceShare = 0.75
/**
 * A box with more than this share of the other's area is the same face again, not a part of it: the better score wins.
 */
const largestPart = 0.5

/**
 * From this score on, a whole box beats parts with better scores. A box with a lower score may enclose a group of
 * faces.
 */
const confidentWhole = 0.9

/**
 * A weak box is dropped if it encloses a better box of at least this share of its area. A smaller box may be a face on
 * a poster.
 */
const smallestRival = 0.2

/**
 * Greedy non-maximum suppression, best score first; ties keep their order. Of two nested boxes, the larger one is kept,
 * however small the other is, unless the larger one is weak.
 */
export function suppressNonMaxima(faces: readonly DetectedFace[]): DetectedFace[] {
  const distinct: DetectedFace[] = []
  for (const face of [...faces].sort((a, b) => b.detectionScore - a.detectionScore))
    if (!distinct.some((other) => isSameFace(other, face) && !isPartOf(other, face))) distinct.push(face)
  const wholes = distinct.filter((face) => !distinct.some((other) => isPartOf(face, other)))
  return wholes.filter((face) => !wholes.some((other) => isRivalWithin(other, face)))
}

const isSameFace = (a: DetectedFace, b: DetectedFace) => iou(a.boxXyxyPx, b.boxXyxyPx) > sameFaceIou

const isPartOf = (part: DetectedFace, whole: DetectedFace) =>
  lieWithin(part, whole) && whole.detectionScore >= Math.min(part.detectionScore, confidentWhole)

const isRivalWithin = (rival: DetectedFace, weak: DetectedFace) =>
  lieWithin(rival, weak) && boxArea(rival.boxXyxyPx) >= boxArea(weak.boxXyxyPx) * smallestRival

function lieWithin({ boxXyxyPx: inner }: DetectedFace, { boxXyxyPx: outer }: DetectedFace): boolean {
  const area = boxArea(inner)
  return (
    area > 0 && area < boxArea(outer) * largestPart && intersectionArea(inner, outer) / area > partOfFaceShare
  )
}
