import { boxArea, intersectionArea, iou } from '../geometry.js'
import type { DetectedFace } from './detector.js'

/** UltraFace's own value. At 0.4 a phantom between two heads side by side survives beside both. */
const sameFaceIou = 0.3

/**
 * A box this much inside a better one is a part of the same face: tiles and scales see a large face both whole and in
 * pieces, whose IoU with the whole is small. Unless it is far smaller: then it is a face in front of a poster.
 */
const partOfFaceShare = 0.75
const smallestPart = 0.2

/** Greedy non-maximum suppression, best score first; ties keep the order given. */
export function suppressNonMaxima(faces: readonly DetectedFace[]): DetectedFace[] {
  const kept: DetectedFace[] = []
  for (const face of [...faces].sort((a, b) => b.detectionScore - a.detectionScore))
    if (!kept.some((other) => isSameFace(other, face))) kept.push(face)
  return kept
}

function isSameFace(a: DetectedFace, b: DetectedFace): boolean {
  if (iou(a.boxXyxyPx, b.boxXyxyPx) > sameFaceIou) return true
  const [smaller, larger] = [boxArea(a.boxXyxyPx), boxArea(b.boxXyxyPx)].sort((x, y) => x - y)
  if (smaller === undefined || larger === undefined || smaller < smallestPart * larger) return false
  return smaller > 0 && intersectionArea(a.boxXyxyPx, b.boxXyxyPx) / smaller > partOfFaceShare
}
