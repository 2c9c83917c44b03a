import { alignFace } from './align/align-face.js'
import { combineQuality, measureQuality } from './align/quality.js'
import { cropScaled } from './align/warp.js'
import { detectFaces } from './detect/detect-faces.js'
import type { BoxXyxyPx, Landmarks5Px } from './geometry.js'
import type { RgbImage } from './image.js'
import type { Stages } from './stages.js'

/** One face of one image. Coordinates in pixels of the full image. */
export interface FoundFace {
  readonly boxXyxyPx: BoxXyxyPx
  readonly detectionScore: number
  /** Where the detector gives them. */
  readonly landmarksPx: Landmarks5Px | undefined
}

/** A found face, aligned and judged, not yet embedded. */
export interface FaceSample extends FoundFace {
  readonly landmarksPx: Landmarks5Px
  /** 0..1, without the norm term, which needs the embedding. */
  readonly quality: number
  /** 112×112 RGB. */
  readonly alignedCrop: RgbImage
}

export interface FrameImages {
  readonly full: RgbImage
  /** The same picture at the size the detector works on; may be the same image. */
  readonly detection: RgbImage
}

/**
 * Finds the faces of a frame on its detection image. Best score first.
 * @param minFacePx in pixels of the full image
 */
export async function findFaces(
  images: FrameImages,
  { detector }: Pick<Stages, 'detector'>,
  minFacePx: number,
): Promise<FoundFace[]> {
  const scale = images.full.width / images.detection.width
  const faces = await detectFaces(detector, images.detection, minFacePx / scale)
  return faces.map(({ boxXyxyPx: [x1, y1, x2, y2], detectionScore, landmarksPx }) => ({
    boxXyxyPx: [x1 * scale, y1 * scale, x2 * scale, y2 * scale],
    detectionScore,
    landmarksPx: landmarksPx === undefined ? undefined : scaleLandmarks(landmarksPx, scale),
  }))
}

/** Aligns a face out of the full image and measures its quality. */
export async function alignAndMeasure(
  face: FoundFace,
  full: RgbImage,
  { landmarker }: Pick<Stages, 'landmarker'>,
): Promise<FaceSample> {
  const landmarksPx = face.landmarksPx ?? (await landmarker?.findLandmarks(full, face.boxXyxyPx))
  if (landmarksPx === undefined) throw new Error('neither the detector nor a landmarker gives landmarks')
  const alignedCrop = alignFace(full, landmarksPx)
  const located = { ...face, landmarksPx, alignedCrop }
  return { ...located, quality: combineQuality(measureQuality(located, full)) }
}

/** The tracker's patches are 16×16. */
const appearancePx = 16

/** What the tracker compares from frame to frame: the face's box as 16×16 grey values 0..255. */
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

/** A face in the pixels of an image that is `scale` times as large. */
export function scaleFace<T extends FoundFace>(face: T, scale: number): T {
  const [x1, y1, x2, y2] = face.boxXyxyPx
  return {
    ...face,
    boxXyxyPx: [x1 * scale, y1 * scale, x2 * scale, y2 * scale],
    landmarksPx: face.landmarksPx === undefined ? undefined : scaleLandmarks(face.landmarksPx, scale),
  }
}

export function scaleLandmarks([a, b, c, d, e]: Landmarks5Px, scale: number): Landmarks5Px {
  const point = ({ x, y }: { x: number; y: number }) => ({ x: x * scale, y: y * scale })
  return [point(a), point(b), point(c), point(d), point(e)]
}
