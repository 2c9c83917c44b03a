import type { BoxXyxyPx, Landmarks5Px } from '../data/geometry.js'
import type { RgbImage } from '../data/image.js'

/** A face as a detector reports it. The function that returns it says which image its coordinates refer to. */
export interface DetectedFace {
  readonly boxXyxyPx: BoxXyxyPx
  /** The detector's confidence, 0..1. */
  readonly detectionScore: number
  /** Undefined if the detector gives none; then a landmarker has to find them. */
  readonly landmarksPx: Landmarks5Px | undefined
}

/** One detector model: an image of its canvas's size in, faces in canvas pixels out. */
export interface Detector {
  readonly canvasWidthPx: number
  readonly canvasHeightPx: number
  /** The range of face heights that the detector finds reliably, px on the canvas. */
  readonly minFacePx: number
  readonly maxFacePx: number
  /** Number of canvases worth processing at the same time: see `Model`. */
  readonly inFlight?: number | undefined
  detectOnCanvas(canvas: RgbImage): Promise<DetectedFace[]>
}

/** Turns a model's outputs into faces above `minScore`, in canvas pixels, before non-maximum suppression. */
export type DecodeOutputs = (
  outputs: ReadonlyMap<string, { readonly data: Float32Array; readonly dims: readonly number[] }>,
  canvas: { readonly widthPx: number; readonly heightPx: number },
  minScore: number,
) => DetectedFace[]
