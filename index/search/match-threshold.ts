import type { Calibration, Pack } from '../../pipeline/models/packs/pack.js'
import { falseAcceptRateAt, thresholdOfRate, type FalseAcceptRate } from './expected-false-matches.js'
import type { ArchiveRecipe } from '../store/meta.js'
import { thresholdOfModels } from '../../pipeline/models/packs/pack-threshold.js'

/** The lowest score of a weak hit is the one that 1 % of other people's tracks reach. */
const weakRate = 1e-2
/** If that score is not known: how far weak hits reach below the threshold, cosine similarity. */
const weakMargin = 0.1

/** Default for the number of expected false matches in an answer. */
export const defaultExpectedFalse = 1

export interface ThresholdRequest {
  /** Cosine similarity. Overrides everything else. */
  readonly minScore?: number | undefined
  /** The number of other people's tracks that may be expected to match. */
  readonly expectFalse?: number | undefined
}

/**
 * The reason for a threshold: `given` in the request; raised for the `archive size`; the default of the `models`; or
 * a guess for `uncalibrated` models.
 */
export type ThresholdReason = 'given' | 'archive size' | 'models' | 'uncalibrated'

/** The score from which a track matches, and the reason for it. */
export interface MatchThreshold {
  /** Cosine similarity from which a track matches. */
  readonly threshold: number
  readonly reason: ThresholdReason
  /** The rate at the threshold. Absent if it was not measured. */
  readonly falseAcceptRate?: FalseAcceptRate
  /** Rate × number of searched tracks: how many tracks of other people are expected to match. */
  readonly expectedFalseMatches?: number
}

/** The calibration of an archive's descriptors. Undefined with a head, because a head changes the scores. */
export function calibrationOf({ headFile }: Pick<ArchiveRecipe, 'headFile'>, pack: Pack) {
  return headFile === undefined ? pack.calibration : undefined
}

/**
 * The threshold of an answer: the lowest at which at most `expectFalse` tracks of other people are expected to match,
 * but never below the default threshold of the models.
 */
export function chooseThreshold(
  recipe: Pick<ArchiveRecipe, 'headFile'>,
  pack: Pack,
  tracksSearched: number,
  { minScore, expectFalse = defaultExpectedFalse }: ThresholdRequest,
): MatchThreshold {
  const calibration = calibrationOf(recipe, pack)
  const least = thresholdOfModels(pack)
  const wanted =
    calibration === undefined || tracksSearched === 0
      ? undefined
      : thresholdOfRate(calibration, expectFalse / tracksSearched)
  const chosen: Pick<MatchThreshold, 'threshold' | 'reason'> =
    minScore !== undefined
      ? { threshold: minScore, reason: 'given' }
      : wanted !== undefined && wanted > least
        ? { threshold: wanted, reason: 'archive size' }
        : { threshold: least, reason: pack.calibration === undefined ? 'uncalibrated' : 'models' }
  const falseAcceptRate =
    calibration === undefined ? undefined : falseAcceptRateAt(calibration, chosen.threshold)
  if (falseAcceptRate === undefined) return chosen
  return { ...chosen, falseAcceptRate, expectedFalseMatches: falseAcceptRate.rate * tracksSearched }
}

/** The score from which a track that does not match is a weak hit. Never above the threshold. */
export function weakScoreOf(calibration: Calibration | undefined, threshold: number): number {
  const known = calibration === undefined ? undefined : thresholdOfRate(calibration, weakRate)
  return Math.min(threshold, known ?? threshold - weakMargin)
}
