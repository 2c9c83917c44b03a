import { alignFace } from '../align/align-face.js'
import { combineQuality, measureQuality } from '../align/quality.js'
import { cropScaled } from '../image/warp.js'
import { detectFaces } from '../detect/detect-faces.js'
import { suppressNonMaxima } from '../detect/nms.js'
import type { BoxXyxyPx, Landmarks5Px, PointPx } from '../data/geometry.js'
import type { RgbImage } from '../data/image.js'
import { stretchLuma, stretchOfDark } from './luma-stretch.js'
import type { Stages } from '../stages/load-pipeline.js'

/** One face of one image. Coordinates in pixels of the full image. */
export interface FoundFace {
  readonly boxXyxyPx: BoxXyxyPx
  readonly detectionScore: number
  /** Set if the detector returns them. */
  readonly landmarksPx: Landmarks5Px | undefined
}

/** A found face, aligned and with its quality, not yet embedded. */
export interface FaceSample extends FoundFace {
  readonly landmarksPx: Landmarks5Px
  /** 0..1, without the norm term, which needs the embedding. */
  readonly quality: number
  /** 112×112 RGB. */
  readonly alignedCrop: RgbImage
}

export interface FrameImages {
  readonly full: RgbImage
  /** The same picture at the detector's working size; may be the same image. */
  readonly detection: RgbImage
}

/**
 * Finds the faces of a frame on its detection image. A dark image is also searched in a brightened copy; a face in a
 * spot of light is found on the original. Best score first.
 * @param minFacePx in pixels of the full image
 */
export async function findFaces(
  { full, detection }: FrameImages,
  { detector }: Pick<Stages, 'detector'>,
  minFacePx: number,
): Promise<FoundFace[]> {
  const scale = full.width / detection.width
  const seen = await detectFaces(detector, detection, minFacePx / scale)
  const stretch = stretchOfDark(detection)
  const faces =
    stretch === undefined
      ? seen
      : suppressNonMaxima([
          ...seen,
          ...(await detectFaces(detector, stretchLuma(detection, stretch), minFacePx / scale)),
        ])
  return faces.map(({ boxXyxyPx: [x1, y1, x2, y2], detectionScore, landmarksPx }) => ({
    boxXyxyPx: [x1 * scale, y1 * scale, x2 * scale, y2 * scale],
    detectionScore,
    landmarksPx: landmarksPx === undefined ? undefined : scaleLandmarks(landmarksPx, scale),
  }))
}

/** Aligns a face from the full image and measures its quality. A dark face is brightened according to its own luma. */
export async function alignAndMeasure(
  face: FoundFace,
  full: RgbImage,
  { landmarker }: Pick<Stages, 'landmarker'>,
): Promise<FaceSample> {
  const { image, xPx, yPx } = lightedView(full, face.boxXyxyPx)
  const [x1, y1, x2, y2] = face.boxXyxyPx
  const landmarksInView =
    face.landmarksPx === undefined
      ? await landmarker?.findLandmarks(image, [x1 - xPx, y1 - yPx, x2 - xPx, y2 - yPx])
      : shiftLandmarks(face.landmarksPx, -xPx, -yPx)
  if (landmarksInView === undefined) throw new Error('neither the detector nor a landmarker gives landmarks')
  const alignedCrop = alignFace(image, landmarksInView)
  const located = { ...face, landmarksPx: shiftLandmarks(landmarksInView, xPx, yPx), alignedCrop }
  return { ...located, quality: combineQuality(measureQuality(located, full)) }
}

/**
 * The part around a face extends by this many box widths and heights: at most that much lies within the aligned crop.
 */
const surroundings = 1

/**
 * The image in which a face is aligned: the full image, or for a dark face a brightened part of it, with that part's
 * position.
 */
function lightedView(full: RgbImage, box: BoxXyxyPx) {
  const stretch = stretchOfDark(full, partAround(full, box, 0))
  if (stretch === undefined) return { image: full, xPx: 0, yPx: 0 }
  const part = partAround(full, box, surroundings)
  return { image: stretchLuma(full, stretch, part), xPx: part.xPx, yPx: part.yPx }
}

/** A box extended by `margin` times its width and height on every side, limited to the image. */
function partAround({ width, height }: RgbImage, [x1, y1, x2, y2]: BoxXyxyPx, margin: number) {
  const [marginX, marginY] = [(x2 - x1) * margin, (y2 - y1) * margin]
  const within = (value: number, length: number) => Math.min(length, Math.max(0, Math.round(value)))
  const xPx = within(x1 - marginX, width)
  const yPx = within(y1 - marginY, height)
  return {
    ...{ xPx, yPx },
    widthPx: within(x2 + marginX, width) - xPx,
    heightPx: within(y2 + marginY, height) - yPx,
  }
}

/** The tracker's patches are 16×16. */
const appearancePx = 16

/** The patch that the tracker compares from frame to frame: the face's box as 16×16 grey values 0..255. */
export function appearanceOf({ boxXyxyPx: [x1, y1, x2, y2] }: FoundFace, images: FrameImages): Float32Array {
  const scale = images.detection.width / images.full.width
  const sidePx = ((x2 - x1 + (y2 - y1)) / 2) * scale
  const left = ((x1 + x2) / 2) * scale - sidePx / 2
  const top = ((y1 + y2) / 2) * scale - sidePx / 2
  const { data } = cropScaled(images.detection, left, top, sidePx, appearancePx)
  return Float32Array.from(
    { length: appearancePx * appearancePx },
    (_, i) => 0.299 * (data[i * 3] ?? 0) + 0.587 * (data[i * 3 + 1] ?? 0) + 0.114 * (data[i * 3 + 2] ?? 0),
  )
}

/** A face in pixels of an image that is `scale` times as large. */
export function scaleFace<T extends FoundFace>(face: T, scale: number): T {
  const [x1, y1, x2, y2] = face.boxXyxyPx
  return {
    ...face,
    boxXyxyPx: [x1 * scale, y1 * scale, x2 * scale, y2 * scale],
    landmarksPx: face.landmarksPx === undefined ? undefined : scaleLandmarks(face.landmarksPx, scale),
  }
}

const scaleLandmarks = (landmarks: Landmarks5Px, scale: number) =>
  mapLandmarks(landmarks, ({ x, y }) => ({ x: x * scale, y: y * scale }))

/** If both shifts are 0, the result is bit-identical. */
const shiftLandmarks = (landmarks: Landmarks5Px, dx: number, dy: number) =>
  mapLandmarks(landmarks, ({ x, y }) => ({ x: x + dx, y: y + dy }))

export const mapLandmarks = (
  [a, b, c, d, e]: Landmarks5Px,
  map: (point: PointPx) => PointPx,
): Landmarks5Px => [map(a), map(b), map(c), map(d), map(e)]
