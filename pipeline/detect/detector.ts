import type { BoxXyxyPx, Landmarks5Px } from '../data/geometry.js'
import type { RgbImage } from '../data/image.js'

/** A face as a detector says it; where its coordinates belong depends on who hands it on. */
export interface DetectedFace {
  readonly boxXyxyPx: BoxXyxyPx
  /** The detector's confidence, 0..1. */
  readonly detectionScore: number
  /** Undefined where the detector gives none and a landmarker has to find them. */
  readonly landmarksPx: Landmarks5Px | undefined
}

/** One detector model: an image of its canvas's size in, faces in canvas pixels out. */
export interface Detector {
  readonly canvasWidthPx: number
  readonly canvasHeightPx: number
  /** The range of face heights, px on the canvas, that it finds reliably. */
  readonly minFacePx: number
  readonly maxFacePx: number
  /** Canvases worth looking at at once: see `Model`. */
  readonly inFlight?: number | undefined
  detectOnCanvas(canvas: RgbImage): Promise<DetectedFace[]>
}

/** Turns a model's outputs into faces above `minScore`, in canvas pixels, before non-maximum suppression. */
export type DecodeOutputs = (
  outputs: ReadonlyMap<string, { readonly data: Float32Array; readonly dims: readonly number[] }>,
  canvas: { readonly widthPx: number; readonly heightPx: number },
  minScore: number,
) => DetectedFace[]
