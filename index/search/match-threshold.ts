import type { Calibration, Pack } from '../../pipeline/models/packs/pack.js'
import { falseAcceptRateAt, thresholdOfRate, type FalseAcceptRate } from './expected-false-matches.js'
import type { ArchiveRecipe } from '../store/meta.js'
import { thresholdOfModels } from '../../pipeline/models/packs/pack-threshold.js'

/** Weak hits go down to the score that one in a hundred tracks of other people reaches … */
const weakRate = 1e-2
/** … and where that is not known, so far below the threshold. */
const weakMargin = 0.1

/** How many false matches an answer may be expected to hold by default. */
export const defaultExpectedFalse = 1

export interface ThresholdWish {
  /** Cosine similarity; overrides all else. */
  readonly minScore?: number | undefined
  /** How many tracks of other people may be expected to pass. */
  readonly expectFalse?: number | undefined
}

/**
 * Why a threshold is what it is: `given`; `archive size`, raised for the tracks searched; `models`, the least that their
 * calibration allows, or all that it says; `uncalibrated`, a guess.
 */
export type ThresholdReason = 'given' | 'archive size' | 'models' | 'uncalibrated'

/** From which score a track matches, and why. */
export interface MatchThreshold {
  /** Cosine similarity from which a track matches. */
  readonly threshold: number
  readonly reason: ThresholdReason
  /** At the threshold; absent where it was not measured. */
  readonly falseAcceptRate?: FalseAcceptRate
  /** Rate × tracks searched: so many tracks of other people are expected to match. */
  readonly expectedFalseMatches?: number
}

/** What was measured of an archive's descriptors: nothing, where a head makes other scores of them. */
export function calibrationOf({ headFile }: Pick<ArchiveRecipe, 'headFile'>, pack: Pack) {
  return headFile === undefined ? pack.calibration : undefined
}

/**
 * The threshold of an answer: the lowest at which no more than `expectFalse` tracks of other people are expected to match, but never
 * below that of the models.
 */
export function chooseThreshold(
  recipe: Pick<ArchiveRecipe, 'headFile'>,
  pack: Pack,
  tracksSearched: number,
  { minScore, expectFalse = defaultExpectedFalse }: ThresholdWish,
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

/** From which score a track that does not match is a weak hit; never above the threshold. */
export function weakScoreOf(calibration: Calibration | undefined, threshold: number): number {
  const known = calibration === undefined ? undefined : thresholdOfRate(calibration, weakRate)
  return Math.min(threshold, known ?? threshold - weakMargin)
}
