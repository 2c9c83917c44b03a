import type { MatchThreshold } from '../../search/match-threshold.js'
import { scoreTracks, summariseTimes, type AnswerTimes, type PairScore, type TrackScores } from './times.js'
import type { Appearances, TimedTrack } from '../data/appearances.js'

/** The measured accuracy of an archive's answers in time. */
export interface ScoredTimes {
  readonly truth: Appearances
  readonly pairs: readonly PairScore[]
  readonly tracks: readonly TimedTrack[]
}

/** A person who could not be searched for, and the reason. */
export interface RefusedQuery {
  readonly person: string
  readonly code: string
  readonly message: string
}

export interface MeasuredTimes extends ScoredTimes {
  /** The score threshold of the answers. */
  readonly line: MatchThreshold
  /** By person. */
  readonly answers: ReadonlyMap<string, AnswerTimes>
  readonly refused: readonly RefusedQuery[]
  /** Films of the ground truth that are not in the archive. */
  readonly missingFilms: readonly string[]
}

/** The combined figures of several films. */
export interface TimeFigures extends TrackScores {
  /** Computed over the steps of all pairs. */
  readonly recall: number
  readonly precision: number
  readonly f1: number
  /** Number of true pairs of a person and a film, of answered true pairs, and of answered pairs that are not true. */
  readonly pairs: number
  readonly found: number
  readonly wrong: number
}

/** @param counts which pairs and tracks to include, by film. Default: all */
export function timeFigures(
  { truth, pairs, tracks }: ScoredTimes,
  counts: (film: string) => boolean = () => true,
): TimeFigures {
  const { recall, precision, f1, ...sums } = summariseTimes(pairs.filter(({ film }) => counts(film)))
  return {
    ...{ recall, precision, f1 },
    ...{ pairs: sums.pairs, found: sums.foundPairs, wrong: sums.wrongPairs },
    ...scoreTracks(
      truth,
      tracks.filter(({ film }) => counts(film)),
    ),
  }
}
