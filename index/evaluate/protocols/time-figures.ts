import type { MatchThreshold } from '../../search/match-threshold.js'
import { scoreTracks, summariseTimes, type AnswerTimes, type PairScore, type TrackScores } from './times.js'
import type { Appearances, TimedTrack } from '../data/appearances.js'

/** What was measured of an archive's answers in time. */
export interface ScoredTimes {
  readonly truth: Appearances
  readonly pairs: readonly PairScore[]
  readonly tracks: readonly TimedTrack[]
}

/** A person who could not be asked for, and why. */
export interface RefusedQuery {
  readonly person: string
  readonly code: string
  readonly message: string
}

export interface MeasuredTimes extends ScoredTimes {
  /** From which score tracks were answered. */
  readonly line: MatchThreshold
  /** By person. */
  readonly answers: ReadonlyMap<string, AnswerTimes>
  readonly refused: readonly RefusedQuery[]
  /** Films of the truth that the archive lacks. */
  readonly missingFilms: readonly string[]
}

/** The figures of some films together. */
export interface TimeFigures extends TrackScores {
  /** Of the steps of all pairs. */
  readonly recall: number
  readonly precision: number
  readonly f1: number
  /** Pairs of a person and a film that are true, those of them that are answered, and those that are answered and not true. */
  readonly pairs: number
  readonly found: number
  readonly wrong: number
}

/** @param counts which pairs and tracks, by their film; by default all */
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
