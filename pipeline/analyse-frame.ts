import { alignFace } from './align/align-face.js'
import { combineQuality, measureQuality } from './align/quality.js'
import { detectFaces } from './detect/detect-faces.js'
import type { DetectedFace } from './detect/detector.js'
import type { BoxXyxyPx, Landmarks5Px } from './geometry.js'
import type { RgbImage } from './image.js'
import type { Stages } from './stages.js'

/** One face of one image, aligned and judged, not yet embedded. Coordinates in pixels of the full image. */
export interface FaceSample {
  readonly boxXyxyPx: BoxXyxyPx
  readonly landmarksPx: Landmarks5Px
  readonly detectionScore: number
  /** 0..1, without the norm term, which needs the embedding. */
  readonly quality: number
  /** 112×112 RGB. */
  readonly alignedCrop: RgbImage
  /** The crop as 16×16 grey values 0..255: what the tracker compares from frame to frame. */
  readonly appearance: Float32Array
}

export interface FrameImages {
  readonly full: RgbImage
  /** The same picture at the size the detector works on; may be the same image. */
  readonly detection: RgbImage
}

/** Finds the faces of a frame on its detection image and aligns them out of the full one. Best score first. */
export async function analyseFrame(
  images: FrameImages,
  stages: Pick<Stages, 'detector' | 'landmarker'>,
  /** In pixels of the full image. */
  minFacePx: number,
): Promise<FaceSample[]> {
  const scale = images.full.width / images.detection.width
  const faces = await detectFaces(stages.detector, images.detection, minFacePx / scale)
  const samples: FaceSample[] = []
  for (const face of faces) samples.push(await alignAndMeasure(face, images.full, scale, stages))
  return samples
}

async function alignAndMeasure(
  face: DetectedFace,
  full: RgbImage,
  scale: number,
  { landmarker }: Pick<Stages, 'landmarker'>,
): Promise<FaceSample> {
  const [x1, y1, x2, y2] = face.boxXyxyPx
  const boxXyxyPx: BoxXyxyPx = [x1 * scale, y1 * scale, x2 * scale, y2 * scale]
  const landmarksPx =
    face.landmarksPx === undefined
      ? await landmarker?.findLandmarks(full, boxXyxyPx)
      : scaleLandmarks(face.landmarksPx, scale)
  if (landmarksPx === undefined) throw new Error('neither the detector nor a landmarker gives landmarks')
  const alignedCrop = alignFace(full, landmarksPx)
  const located = { boxXyxyPx, landmarksPx, detectionScore: face.detectionScore, alignedCrop }
  return {
    ...located,
    quality: combineQuality(measureQuality(located)),
    appearance: greyBlocks(alignedCrop, appearanceSide),
  }
}

/** The tracker's patches are 16×16. */
const appearanceSide = 16

/** Mean luma of `side`×`side` equal blocks of a square image. */
function greyBlocks({ width, data }: RgbImage, side: number): Float32Array {
  const blockPx = Math.floor(width / side)
  const means = new Float32Array(side * side)
  const share = 1 / (blockPx * blockPx)
  for (let y = 0; y < side * blockPx; y++)
    for (let x = 0; x < side * blockPx; x++) {
      const at = (y * width + x) * 3
      const luma = 0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0)
      const block = Math.floor(y / blockPx) * side + Math.floor(x / blockPx)
      means[block] = (means[block] ?? 0) + luma * share
    }
  return means
}

export function scaleLandmarks([a, b, c, d, e]: Landmarks5Px, scale: number): Landmarks5Px {
  const point = ({ x, y }: { x: number; y: number }) => ({ x: x * scale, y: y * scale })
  return [point(a), point(b), point(c), point(d), point(e)]
}
