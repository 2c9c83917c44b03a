import { seededRandom } from '../../../pipeline/common/seeded-random.js'
import type { Calibration } from '../../../pipeline/models/packs/pack.js'
import { fitLikelihood, qualityBuckets } from './likelihood.js'
import type { ComparedPairs } from './pair-scores.js'
import { halvesOf, resampledPeople } from './people.js'
import {
  mixedCurve,
  rateCurve,
  rateOf,
  tailedRateOf,
  thresholdAt,
  withTail,
  type TailedCurve,
} from './rate-curve.js'
import { reliabilityOf, type ReliabilityBin } from './reliability.js'

/** The pairs that a search compares, and the pairs that `enroll` compares. */
export interface PairKinds {
  readonly photoTrack: ComparedPairs
  readonly photoPhoto: ComparedPairs
}

/**
 * The false-accept rate at the threshold of a pack. No default threshold is lower. At 1e-3, films with 94 tracks gave
 * two false matches when all of their people were searched. A small archive may also receive many queries.
 */
export const defaultRate = 3e-4

/** Rates for which the threshold is measured. Below the last one, the tail is extrapolated. */
export const measuredRates = [0.99, 0.9, 0.7, 0.5, 0.3, 0.1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4]
const measuredTo = 1e-4

/** Rates for which an estimate is reported. */
export const estimatedRates = [1e-5, 1e-6, 1e-7]

const qualityBucketCount = 3
const resamples = 200
const seed = 1

/**
 * A search compares photos with tracks, and enrolling compares photos with photos. They are mixed two to one. Each
 * rate is then within a factor of two of the mixture, if photo pairs are falsely accepted at most four times as often
 * as photo-track pairs.
 */
const shares = { photoTrack: 2 / 3, photoPhoto: 1 / 3 }

const tailedCurveOf = ({ photoTrack, photoPhoto }: PairKinds, counts?: Float64Array): TailedCurve =>
  withTail(
    mixedCurve([
      [rateCurve(photoTrack.nonMated, counts), shares.photoTrack],
      [rateCurve(photoPhoto.nonMated, counts), shares.photoPhoto],
    ]),
    measuredTo,
  )

const round = (value: number, digits: number) => Number(value.toFixed(digits))

/** Fits the calibration of a pack to pairs of known people. @param people number of people */
export function fitCalibration(kinds: PairKinds, people: number): Calibration {
  const tailed = tailedCurveOf(kinds)
  const curve = measuredRates.map((rate) => [round(thresholdAt(tailed.curve, rate), 3), rate] as const)
  const buckets = qualityBuckets(kinds.photoTrack.mated, qualityBucketCount)
  return {
    threshold: round(thresholdAt(tailed.curve, defaultRate), 3),
    falseAcceptRate: defaultRate,
    curve,
    tail: { scale: round(tailed.scale, 4), interval: tailInterval(kinds, people, tailed) },
    likelihood: fitLikelihood(kinds.photoTrack, buckets),
  }
}

/**
 * Ends of the 95 % bootstrap interval over people. Each end is an exponential through the rates at two scores of the
 * tail.
 */
function tailInterval(kinds: PairKinds, people: number, { from, scale }: TailedCurve) {
  const random = seededRandom(seed)
  const far = from.threshold + scale * Math.log(1000)
  const drawn = Array.from({ length: resamples }, () => {
    const tailed = tailedCurveOf(kinds, resampledPeople(people, random))
    return [rateOf(tailed.curve, from.threshold), tailedRateOf(tailed, far)] as const
  })
  const end = (share: number) => {
    const at = (k: 0 | 1) =>
      drawn.map((rates) => rates[k]).sort((a, b) => a - b)[Math.round(share * (resamples - 1))] ?? from.rate
    return {
      rate: Number(at(0).toPrecision(2)),
      scale: round((far - from.threshold) / Math.log(at(0) / at(1)), 4),
    }
  }
  return [end(0.025), end(0.975)] as const
}

/** The rate predicted from one half of the people, and the measured rate in the other half. */
export interface HeldRate {
  readonly half: number
  readonly promised: number
  readonly threshold: number
  /** Measured rates of the held-out pairs. */
  readonly photoTrack: number
  readonly photoPhoto: number
}

/** How often the people are split into halves. */
const repeats = 5

/** Takes thresholds from one half of the people and measures them on the other half. Both directions, five times. */
export function crossValidate(
  kinds: PairKinds,
  samples: readonly number[],
  rates: readonly number[],
): HeldRate[] {
  return partings(samples).flatMap(({ fitted, held }, half) => {
    const { curve } = tailedCurveOf(kinds, fitted)
    const [photoTrack, photoPhoto] = [kinds.photoTrack, kinds.photoPhoto].map(({ nonMated }) =>
      rateCurve(nonMated, held),
    )
    return rates.map((promised) => {
      const threshold = thresholdAt(curve, promised)
      const truth = (of: Float64Array | undefined) => (of === undefined ? 0 : rateOf(of, threshold))
      return { half, promised, threshold, photoTrack: truth(photoTrack), photoPhoto: truth(photoPhoto) }
    })
  })
}

/**
 * Reliability of the probabilities for people who were not used for the densities, with one appearance in `tracks`
 * tracks.
 */
export function heldReliability(
  kinds: PairKinds,
  samples: readonly number[],
  tracks: number,
): ReliabilityBin[][] {
  const buckets = qualityBuckets(kinds.photoTrack.mated, qualityBucketCount)
  return partings(samples).map(({ fitted, held }) => {
    const likelihood = fitLikelihood(kinds.photoTrack, buckets, fitted)
    const calibration = { threshold: 0, falseAcceptRate: 1, likelihood }
    return reliabilityOf(kinds.photoTrack, calibration, { appearances: 1, tracks }, held)
  })
}

function partings(samples: readonly number[]) {
  return Array.from({ length: repeats }, (_, repeat) => halvesOf(samples, seed + repeat)).flatMap(
    ([one, other]) => [
      { fitted: one, held: other },
      { fitted: other, held: one },
    ],
  )
}
