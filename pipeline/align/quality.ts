import { boxArea, intersectionArea, type BoxXyxyPx, type Landmarks5Px } from '../data/geometry.js'
import type { RgbImage } from '../data/image.js'

/** What is known about a face before it is embedded, each 0..1. */
export interface QualityTerms {
  /** The detector's confidence. */
  readonly detection: number
  /** Face height against the height that fills an aligned crop. */
  readonly size: number
  /** 1 if the whole face lies in the frame, 0 if half of it is cut off. */
  readonly inside: number
  /** Fine detail of the aligned crop. */
  readonly sharpness: number
  /** 1 from the front, 0 in profile. */
  readonly pose: number
}

/** A face of this height (px) has all the pixels that an aligned crop can use. */
const fullSizePx = 100

/**
 * Variance of the Laplacian at which a crop counts as half sharp. Ordinary sharp photos have several times this
 * variance.
 */
const halfSharpVariance = 40

export function measureQuality(
  face: {
    readonly boxXyxyPx: BoxXyxyPx
    readonly detectionScore: number
    readonly landmarksPx: Landmarks5Px
    readonly alignedCrop: RgbImage
  },
  frame: { readonly width: number; readonly height: number },
): QualityTerms {
  const { boxXyxyPx, detectionScore } = face
  const visible = intersectionArea(boxXyxyPx, [0, 0, frame.width, frame.height]) / boxArea(boxXyxyPx)
  const variance = laplacianVariance(face.alignedCrop)
  return {
    detection: clampUnit(detectionScore),
    size: clampUnit((boxXyxyPx[3] - boxXyxyPx[1]) / fullSizePx),
    inside: clampUnit(2 * visible - 1),
    sharpness: variance / (variance + halfSharpVariance),
    pose: frontalness(face.landmarksPx),
  }
}

/**
 * One quality, 0..1: the geometric mean of the terms, so that one bad term spoils it, times `norm` once the face is
 * embedded. The norm of a raw embedding says how much of a face the network saw: ArcFace's features shrink with blur
 * and occlusion. `norm` is 1 if the pack does not say which norms are good.
 */
export function combineQuality(terms: QualityTerms, norm = 1): number {
  const { detection, size, inside, sharpness, pose } = terms
  return (detection * size * inside * sharpness * pose) ** (1 / 5) * norm
}

/** Where a raw embedding norm lies between the norms of the pack's hopeless and good faces, 0..1, at least 0.05. */
export function normTerm(
  norm: number,
  range: { readonly low: number; readonly high: number } | undefined,
): number {
  if (range === undefined) return 1
  return Math.max(0.05, clampUnit((norm - range.low) / (range.high - range.low)))
}

/**
 * How frontal a face is, from its five points. Yaw: the nose moves away from the middle between the eyes, measured
 * along the line of the eyes in eye distances. Pitch: the nose moves away from its usual place between eyes and mouth.
 * Roll does not count, because alignment removes it.
 */
export function frontalness([leftEye, rightEye, nose, leftMouth, rightMouth]: Landmarks5Px): number {
  const eyes = { x: (leftEye.x + rightEye.x) / 2, y: (leftEye.y + rightEye.y) / 2 }
  const mouth = { x: (leftMouth.x + rightMouth.x) / 2, y: (leftMouth.y + rightMouth.y) / 2 }
  const down = { x: mouth.x - eyes.x, y: mouth.y - eyes.y }
  const faceHeight = Math.hypot(down.x, down.y)
  if (faceHeight === 0) return 0
  const toNose = { x: nose.x - eyes.x, y: nose.y - eyes.y }
  const along = (toNose.x * down.x + toNose.y * down.y) / (faceHeight * faceHeight)
  const aside = Math.abs(toNose.x * down.y - toNose.y * down.x) / (faceHeight * faceHeight)
  const eyeDistance = Math.hypot(rightEye.x - leftEye.x, rightEye.y - leftEye.y) / faceHeight
  // In ArcFace's template, the nose lies .49 of the way down, and the eyes are .87 face heights apart.
  const yaw = clampUnit(1 - aside / 0.45) * clampUnit(eyeDistance / 0.7)
  const pitch = clampUnit(1 - Math.abs(along - 0.49) / 0.4)
  return yaw * pitch
}

/** Variance of the 4-neighbour Laplacian of a crop's luma (Pech-Pacheco et al. 2000): small if the image is blurred. */
export function laplacianVariance({ width, height, data }: RgbImage): number {
  const luma = new Float32Array(width * height)
  for (let i = 0, at = 0; i < luma.length; i++, at += 3)
    luma[i] = 0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0)
  let sum = 0
  let squares = 0
  let count = 0
  for (let y = 1; y < height - 1; y++)
    for (let x = 1; x < width - 1; x++) {
      const at = y * width + x
      const value =
        4 * (luma[at] ?? 0) -
        (luma[at - 1] ?? 0) -
        (luma[at + 1] ?? 0) -
        (luma[at - width] ?? 0) -
        (luma[at + width] ?? 0)
      sum += value
      squares += value * value
      count++
    }
  return count === 0 ? 0 : squares / count - (sum / count) ** 2
}

const clampUnit = (value: number) => Math.min(1, Math.max(0, value))
