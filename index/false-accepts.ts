/** What `npm run calibrate` measured of a pack: which share of the pairs of tracks of different people reaches a score. */
export interface Calibration {
  /** Default match threshold, cosine similarity. */
  readonly threshold: number
  /** At that threshold. */
  readonly falseAcceptRate: number
  /** At further thresholds, ascending: [threshold, rate]. */
  readonly curve?: readonly (readonly [number, number])[] | undefined
}

/**
 * The false-accept rate at any threshold: between measured ones its logarithm is taken to be linear, and above the last one that
 * one's rate is given, which is too high. Undefined below the default threshold where nothing was measured there.
 */
export function falseAcceptRateAt(
  { threshold, falseAcceptRate, curve }: Calibration,
  at: number,
): number | undefined {
  if (curve === undefined) return at < threshold ? undefined : falseAcceptRate
  // No cosine similarity lies below −1.
  const points: readonly (readonly [number, number])[] = [[-1, 1], ...curve]
  const above = points.findIndex(([x]) => x > at)
  const [before, after] = [points.at(above === -1 ? -1 : Math.max(0, above - 1)), points[above]]
  if (before === undefined || after === undefined) return before?.[1]
  const [[x0, rate0], [x1, rate1]] = [before, after]
  const share = Math.max(0, (at - x0) / (x1 - x0))
  return rate0 * (rate1 / rate0) ** share
}
