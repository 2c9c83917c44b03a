import type { HiddenFaces } from '../models/packs/pack.js'
import { dotProduct } from '../data/vector-math.js'

/**
 * The probability that a face is partly hidden, 0..1: a logistic model of its embedding. It works because masks,
 * glasses and hands move an embedding in one direction, whoever wears them.
 * @param unit L2-normalised embedding, or a track's descriptor
 */
export function hiddenProbability(unit: Float32Array, { weights, bias }: HiddenFaces): number {
  return 1 / (1 + Math.exp(-bias - dotProduct(unit, Float32Array.from(weights))))
}

export const isHidden = (unit: Float32Array, hidden: HiddenFaces): boolean =>
  hiddenProbability(unit, hidden) > 0.5

/** A face that is certainly hidden keeps this share of its quality: it counts if there is no better face. */
const shareOfHidden = 0.25

/** Factor of a face's quality: 1 if the face is more likely visible than hidden, or if the pack has no such model. */
export function visibleTerm(unit: Float32Array, hidden: HiddenFaces | undefined): number {
  if (hidden === undefined) return 1
  return 1 - (1 - shareOfHidden) * Math.max(0, 2 * hiddenProbability(unit, hidden) - 1)
}
