import type { Calibration } from '../../pipeline/models/packs/pack.js'

/** The share of other people's tracks that reach a score. */
export interface FalseAcceptRate {
  readonly rate: number
  /** True if the score lies beyond the measured range, so the rate is extrapolated. */
  readonly isEstimate: boolean
  /** 95 % interval over people. Only for an estimate, and only if the calibration measured it. */
  readonly interval?: readonly [low: number, high: number]
}

/**
 * The false-accept rate at any threshold. Between measured thresholds, the logarithm of the rate is interpolated
 * linearly. Above the last one, the calibrated exponential tail continues the curve. Without a tail, the line through
 * the last two points continues it. If only one rate is known, the result is an upper bound from the default
 * threshold on, and undefined below it.
 */
export function falseAcceptRateAt(calibration: Calibration, at: number): FalseAcceptRate | undefined {
  const { threshold, falseAcceptRate, curve } = calibration
  if (curve === undefined) return at < threshold ? undefined : { rate: falseAcceptRate, isEstimate: false }
  const points = withOrigin(curve)
  const above = points.findIndex(([x]) => x > at)
  const [before, after] = [points.at(above === -1 ? -1 : Math.max(0, above - 1)), points[above]]
  if (before === undefined) return undefined
  if (after === undefined) return beyond(calibration, before, at)
  const share = Math.max(0, (at - before[0]) / (after[0] - before[0]))
  return { rate: before[1] * (after[1] / before[1]) ** share, isEstimate: false }
}

/**
 * The lowest threshold at which the false-accept rate is at most `rate`. At most 1. Undefined if no curve was
 * measured.
 */
export function thresholdOfRate(calibration: Calibration, rate: number): number | undefined {
  const { curve } = calibration
  const last = curve?.at(-1)
  if (curve === undefined || last === undefined) return undefined
  if (rate < last[1]) return Math.min(1, last[0] + tailScale(calibration) * Math.log(last[1] / rate))
  const points = withOrigin(curve)
  const next = points.findIndex(([, r]) => r <= rate)
  const [before, after] = [points[next - 1], points[next] ?? last]
  if (before === undefined) return after[0]
  const share = Math.log(before[1] / rate) / Math.log(before[1] / after[1])
  return before[0] + share * (after[0] - before[0])
}

type Points = NonNullable<Calibration['curve']>

/** No cosine similarity lies below −1. */
const withOrigin = (curve: Points): Points => [[-1, 1], ...curve]

function beyond(calibration: Calibration, last: Points[number], at: number): FalseAcceptRate {
  const excess = at - last[0]
  if (excess === 0) return { rate: last[1], isEstimate: false }
  const rate = last[1] * Math.exp(-excess / tailScale(calibration))
  const { interval } = calibration.tail ?? {}
  if (interval === undefined) return { rate, isEstimate: true }
  const [low, high] = interval.map((end) => end.rate * Math.exp(-excess / end.scale))
  return { rate, isEstimate: true, interval: [Math.min(rate, low ?? rate), Math.max(rate, high ?? rate)] }
}

/** The increase of the score, beyond the last point, over which the rate falls to 1/e. */
function tailScale({ curve = [], tail }: Calibration): number {
  if (tail !== undefined) return tail.scale
  const [before, last] = withOrigin(curve).slice(-2)
  if (before === undefined || last === undefined) return 0
  return (last[0] - before[0]) / Math.log(before[1] / last[1])
}
