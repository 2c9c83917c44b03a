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

/** Pairs as a search compares them, and as `enroll` does. */
export interface PairKinds {
  readonly photoTrack: ComparedPairs
  readonly photoPhoto: ComparedPairs
}

/**
 * The threshold of a pack is that of this rate, below which no default goes. At 1e-3, films of 94 tracks gave two false matches when
 * all of their people were asked for; a small archive is asked many questions, too.
 */
export const defaultRate = 3e-4

/** Rates whose thresholds are measured; below the last of them the tail is extrapolated. */
export const measuredRates = [0.99, 0.9, 0.7, 0.5, 0.3, 0.1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4]
const measuredTo = 1e-4

/** Rates of which an estimate is reported. */
export const estimatedRates = [1e-5, 1e-6, 1e-7]

const qualityBucketCount = 3
const resamples = 200
const seed = 1

/**
 * A search compares photos with tracks, enrolling photos with photos: two to one. Either rate then lies within a factor of two of
 * the mixture as long as photos are no more than four times as often falsely accepted among each other as with tracks.
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

/** A pack's calibration, out of pairs whose people are known. @param people how many there are */
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

/** Ends of the bootstrap's 95 % interval over people, each an exponential through its rates at two scores of the tail. */
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

/** What one half of the people promises for the other. */
export interface HeldRate {
  readonly half: number
  readonly promised: number
  readonly threshold: number
  /** Of the held people's pairs. */
  readonly photoTrack: number
  readonly photoPhoto: number
}

/** Halves of the people, anew this often. */
const repeats = 5

/** Thresholds from one half of the people, held against the pairs of the other half; both ways, five times. */
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

/** How true probabilities are for people who had no part in the densities, with one appearance in so many tracks. */
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
