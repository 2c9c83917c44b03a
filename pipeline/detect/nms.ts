import { boxArea, intersectionArea, iou } from '../data/geometry.js'
import type { DetectedFace } from './detector.js'

/** UltraFace's own value. At 0.4 a phantom between two heads side by side survives beside both. */
const sameFaceIou = 0.3

/**
 * A box this much inside another is a part of the same face: tiles and scales see a large face both whole and in pieces,
 * such as an eye or a mouth, whose IoU with the whole is small.
 */
const partOfFaceShare = 0.75
/** What is more than this share of the other is the same box once more, not a part of it: the better score decides. */
const largestPart = 0.5

/** From this score on a whole is believed against parts that score better; a weaker one may enclose a group of faces. */
const confidentWhole = 0.9

/** A weak box goes where it encloses a better one of at least this share of it; what is smaller may be a face on a poster. */
const smallestRival = 0.2

/**
 * Greedy non-maximum suppression, best score first; ties keep the order given. Of boxes in each other the larger is kept,
 * however small the other is, unless it is weak.
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
