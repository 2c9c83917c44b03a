import type { HiddenFaces } from '../models/packs/pack.js'
import { dotProduct } from '../data/vector-math.js'

/**
 * How likely a face is hidden in part, 0..1: a logistic model of its embedding, for what an embedder makes of masks, glasses and
 * hands points one way whoever wears them.
 * @param unit L2-normalised embedding, or a track's descriptor
 */
export function hiddenProbability(unit: Float32Array, { weights, bias }: HiddenFaces): number {
  return 1 / (1 + Math.exp(-bias - dotProduct(unit, Float32Array.from(weights))))
}

export const isHidden = (unit: Float32Array, hidden: HiddenFaces): boolean =>
  hiddenProbability(unit, hidden) > 0.5

/** A face that is hidden for certain keeps this share of its quality: it counts where there is no better one. */
const shareOfHidden = 0.25

/** By which a face's quality is multiplied: 1 where it is likelier seen whole than not, or where the pack cannot say. */
export function visibleTerm(unit: Float32Array, hidden: HiddenFaces | undefined): number {
  if (hidden === undefined) return 1
  return 1 - (1 - shareOfHidden) * Math.max(0, 2 * hiddenProbability(unit, hidden) - 1)
}
