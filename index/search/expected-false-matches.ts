import type { Calibration } from '../../pipeline/models/packs/pack.js'

/** Which share of the tracks of other people reaches a score. */
export interface FalseAcceptRate {
  readonly rate: number
  /** The score lies beyond what was measured: the rate is extrapolated. */
  readonly isEstimate: boolean
  /** Of an estimate, where `npm run calibrate` measured it: 95 % interval over people. */
  readonly interval?: readonly [low: number, high: number]
}

/**
 * The false-accept rate at any threshold: between measured ones its logarithm is taken to be linear. Above the last one the
 * calibrated exponential tail goes on, and without one the last two points do. Undefined below the default threshold where
 * nothing was measured there; where one rate alone is known, it is an upper bound from there on.
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

/** The lowest threshold at which the rate is at most this; undefined where no curve was measured. At most 1. */
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

/** By how much the score grows while the rate falls to 1/e of itself, beyond the last point. */
function tailScale({ curve = [], tail }: Calibration): number {
  if (tail !== undefined) return tail.scale
  const [before, last] = withOrigin(curve).slice(-2)
  if (before === undefined || last === undefined) return 0
  return (last[0] - before[0]) / Math.log(before[1] / last[1])
}
