import { dotProduct } from '../../pipeline/data/vector-math.js'
import type { MatchedRange } from './clip-match.js'
import { joinRanges, type Adjacency } from './join-ranges.js'
import type { SearchOptions } from './search-options.js'

/** A track of a clip with its score against the query. */
export interface ScoredTrack {
  readonly trackId: number
  /** L2-normalised. */
  readonly descriptor: Float32Array
  /** Cosine similarity to the query. */
  readonly score: number
  /** True if the score reaches the threshold of the track. */
  readonly isMatch: boolean
  /** Set if a person confirmed that the track shows the one who is asked for: it matches with any score. */
  readonly isConfirmed?: boolean
  /** Set if the track was confirmed, or grouped into a person with the name that is asked for. */
  readonly isSure?: boolean
  readonly spans: readonly (readonly [startS: number, endS: number])[]
}

/**
 * If another track of the clip scores better by this much, that track shows the person and this one may not. Cosine
 * similarity.
 */
const plainlyBetter = 0.15

/**
 * A span has few faces, so it scores lower than the whole track of the same person. A span this far below the
 * threshold shows another person.
 */
const spanMargin = 0.15

/** Orders matches first, then by score. */
export function compareTracks(a: ScoredTrack, b: ScoredTrack): number {
  return Number(b.isMatch) - Number(a.isMatch) || b.score - a.score || a.trackId - b.trackId
}

/**
 * The ranges of a clip's tracks, not yet joined. A track or a span that shows another person is weak. Weak ranges are
 * omitted unless the request asks for them.
 * @param spanScoresOf returns the score of each span of a track
 */
export function rangesOfTracks(
  tracks: readonly ScoredTrack[],
  spanScoresOf: (track: ScoredTrack) => readonly number[],
  { minScore, weakScore }: Pick<SearchOptions, 'minScore' | 'weakScore'>,
): MatchedRange[] {
  return tracks.flatMap((track) => {
    const { trackId, spans, score, isConfirmed = false, isSure = isConfirmed } = track
    const scores = spanScoresOf(track)
    if (isConfirmed)
      return spans.map(([startS, endS], i) => ({
        ...{ startS, endS, trackId, score: scores[i] ?? score, confirmed: true as const },
      }))
    const isWeak = !isSure && (!track.isMatch || tracks.some((best) => isSomebodyElse(track, best, minScore)))
    const least = Math.min(minScore - spanMargin, Math.max(...scores))
    return spans.flatMap(([startS, endS], i) => {
      const range = { startS, endS, trackId, score: scores[i] ?? score }
      if (!isWeak && range.score >= least) return [range]
      return weakScore === undefined ? [] : [{ ...range, weak: true as const }]
    })
  })
}

/**
 * True if another track of the clip matches much better and does not look like this one. Two people may both resemble
 * a photo; within the clip, their tracks can be distinguished.
 */
export const isSomebodyElse = (
  track: Pick<ScoredTrack, 'score' | 'descriptor'>,
  best: Pick<ScoredTrack, 'score' | 'descriptor'>,
  threshold: number,
): boolean =>
  best.score - track.score >= plainlyBetter && dotProduct(best.descriptor, track.descriptor) < threshold

/** Joins matches and weak ranges separately, so that a weak range never extends a match. In order of time. */
export function joinByStrength(ranges: readonly MatchedRange[], areAdjacent: Adjacency): MatchedRange[] {
  const ofStrength = (isWeak: boolean) => ranges.filter(({ weak }) => (weak === true) === isWeak)
  return [false, true]
    .flatMap((isWeak) => joinRanges(ofStrength(isWeak), areAdjacent))
    .sort((a, b) => a.startS - b.startS || a.endS - b.endS)
}
