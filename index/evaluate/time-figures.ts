import type { Appearances } from './appearances.js'
import { scoreTracks, summariseTimes, type PairScore, type TimedTrack, type TrackScores } from './times.js'

/** What was measured of an archive's answers in time. */
export interface ScoredTimes {
  readonly truth: Appearances
  readonly pairs: readonly PairScore[]
  readonly tracks: readonly TimedTrack[]
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
