import type { Calibration } from '../../../pipeline/models/packs/pack.js'
import { matchProbability, type Prior } from '../../search/match-probability.js'
import type { ComparedPairs, PairScores } from './pair-scores.js'

/** Hits to which about the same probability was given. */
export interface ReliabilityBin {
  readonly from: number
  readonly to: number
  /** Share of all pairs, where mated ones are as frequent as the prior says. */
  readonly weight: number
  /** The mean of what was given. */
  readonly given: number
  /** The share that shows the person. */
  readonly true: number
  /** Mated pairs in the bin, and those of two people. */
  readonly mated: number
  readonly nonMated: number
}

/** Ends of the bins. */
const edges = [0, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1]

/**
 * How true probabilities are: pairs whose people are known, weighted so that mated ones are as frequent as the prior says. Bins
 * without pairs are left out.
 * @param counts as `rateCurve` takes them: of people who had no part in the densities
 */
export function reliabilityOf(
  { mated, nonMated }: ComparedPairs,
  calibration: Calibration,
  prior: Prior,
  counts: Float64Array,
): ReliabilityBin[] {
  const odds = prior.appearances / prior.tracks
  const bins = edges.slice(1).map(() => ({ weight: 0, given: 0, true: 0, mated: 0, nonMated: 0 }))
  const add = (pairs: PairScores, isMated: boolean) => {
    const weightOf = (i: number) =>
      (counts[pairs.a[i] ?? 0] ?? 0) * (counts[pairs.b[i] ?? 0] ?? 0) * (pairs.weights[i] ?? 0)
    let all = 0
    for (let i = 0; i < pairs.scores.length; i++) all += weightOf(i)
    for (let i = 0; i < pairs.scores.length; i++) {
      const weight = ((isMated ? odds : 1) * weightOf(i)) / all
      if (!(weight > 0)) continue
      const evidence = { score: pairs.scores[i] ?? -1, quality: pairs.qualities[i] ?? 0 }
      const probability = matchProbability(calibration, evidence, prior) ?? 0
      const bin = bins[edges.findLastIndex((edge, k) => edge <= probability && k < bins.length)]
      if (bin === undefined) continue
      bin.weight += weight
      bin.given += weight * probability
      if (isMated) bin.true += weight
      if (isMated) bin.mated++
      else bin.nonMated++
    }
  }
  add(mated, true)
  add(nonMated, false)
  return bins.flatMap(({ weight, mated: m, nonMated: n, ...sums }, k) =>
    weight === 0
      ? []
      : [
          {
            ...{ from: edges[k] ?? 0, to: edges[k + 1] ?? 1, weight, mated: m, nonMated: n },
            ...{ given: sums.given / weight, true: sums.true / weight },
          },
        ],
  )
}
