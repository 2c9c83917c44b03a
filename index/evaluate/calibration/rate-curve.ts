import type { PairScores } from './pair-scores.js'

/** Distance between the scores at which rates are known. */
export const gridStep = 0.001
const gridSize = Math.round(2 / gridStep) + 1
export const scoreAt = (i: number) => i * gridStep - 1
const gridAt = (score: number) => Math.min(gridSize - 1, Math.max(0, Math.floor((score + 1) / gridStep)))

/** Share of the non-mated pairs that reach each score from −1 to 1, in steps of `gridStep`: [2001]. */
export type RateCurve = Float64Array

/**
 * @param counts how often each person counts, by number: 0 for a person who is omitted, more than 1 for a person whom
 * a bootstrap drew several times. Default: each person once
 */
export function rateCurve({ scores, a, b, weights }: PairScores, counts?: Float64Array): RateCurve {
  const rates = new Float64Array(gridSize)
  for (let i = 0; i < scores.length; i++) {
    const people = counts === undefined ? 1 : (counts[a[i] ?? 0] ?? 0) * (counts[b[i] ?? 0] ?? 0)
    if (people === 0) continue
    const at = gridAt(scores[i] ?? -1)
    rates[at] = (rates[at] ?? 0) + people * (weights[i] ?? 0)
  }
  for (let at = gridSize - 2; at >= 0; at--) rates[at] = (rates[at] ?? 0) + (rates[at + 1] ?? 0)
  const all = rates[0] ?? 0
  return all === 0 ? rates : rates.map((rate) => rate / all)
}

/**
 * The curve of a mixture of pairs. Each kind has its share, independent of its number of pairs. The shares add up to
 * 1.
 */
export function mixedCurve(kinds: readonly (readonly [curve: RateCurve, share: number])[]): RateCurve {
  return Float64Array.from({ length: gridSize }, (_, at) =>
    kinds.reduce((total, [curve, share]) => total + share * (curve[at] ?? 0), 0),
  )
}

export function rateOf(curve: RateCurve, threshold: number): number {
  // A threshold between two grid points is rounded up, because it accepts at most the pairs of the upper point.
  return curve[Math.min(gridSize - 1, Math.max(0, Math.ceil((threshold + 1) / gridStep - 1e-6)))] ?? 0
}

/** The lowest grid score that at most this share of the pairs reaches. */
export function thresholdAt(curve: RateCurve, rate: number): number {
  return scoreAt(curve.findIndex((value) => value <= rate))
}

/**
 * Tails are fitted above the score that one pair in a thousand reaches. There are enough pairs above it, and they
 * follow one shape.
 */
export const tailRate = 1e-3

/**
 * Scale of the exponential tail above a score: the mean excess of the scores that reach it, its maximum-likelihood estimate
 * (peaks over threshold; Coles 2001, ch. 4, with shape 0).
 */
export function tailScaleAbove(curve: RateCurve, from: number): number {
  const first = gridAt(from + gridStep / 2)
  let excess = 0
  for (let at = first + 1; at < gridSize; at++) excess += (curve[at] ?? 0) * gridStep
  // On average, a score is half a step above its grid point.
  return excess / (curve[first] ?? 1) + gridStep / 2
}

/** A curve that is measured down to a rate and extrapolated beyond it. */
export interface TailedCurve {
  readonly curve: RateCurve
  readonly from: { readonly threshold: number; readonly rate: number }
  readonly scale: number
}

export function withTail(curve: RateCurve, measuredTo: number): TailedCurve {
  const threshold = thresholdAt(curve, measuredTo)
  const scale = tailScaleAbove(curve, thresholdAt(curve, tailRate))
  return { curve, from: { threshold, rate: measuredTo }, scale }
}

/** The rate at any score. Uses the tail beyond the measured part. */
export function tailedRateOf({ curve, from, scale }: TailedCurve, threshold: number): number {
  if (threshold <= from.threshold) return rateOf(curve, threshold)
  return from.rate * Math.exp(-(threshold - from.threshold) / scale)
}
