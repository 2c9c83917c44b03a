import type { Calibration } from '../../../pipeline/models/packs/pack.js'
import { matchProbability, type Prior } from '../../search/match-probability.js'
import type { ComparedPairs, PairScores } from './pair-scores.js'

/** Hits with about the same predicted probability. */
export interface ReliabilityBin {
  readonly from: number
  readonly to: number
  /** Share of all pairs, with mated pairs weighted to the frequency of the prior. */
  readonly weight: number
  /** Mean predicted probability. */
  readonly given: number
  /** Share of hits that show the person. */
  readonly true: number
  /** Number of mated and non-mated pairs in the bin. */
  readonly mated: number
  readonly nonMated: number
}

/** Ends of the bins. */
const edges = [0, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1]

/**
 * Measures the reliability of the probabilities on pairs of known people. Mated pairs are weighted to the frequency
 * of the prior. Omits bins without pairs.
 * @param counts as in `rateCurve`, for people who were not used for the densities
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
