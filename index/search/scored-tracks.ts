import { dotProduct } from '../../pipeline/data/vector-math.js'
import type { MatchedRange } from './clip-match.js'
import { joinRanges, type Adjacency } from './join-ranges.js'
import type { SearchOptions } from './search-options.js'

/** A track of a clip, compared with the query. */
export interface ScoredTrack {
  readonly trackId: number
  /** L2-normalised. */
  readonly descriptor: Float32Array
  /** Cosine similarity to the query. */
  readonly score: number
  /** The score reaches the track's threshold. */
  readonly isMatch: boolean
  readonly spans: readonly (readonly [startS: number, endS: number])[]
}

/** How much better another track of the clip must match to be the person rather than this one, cosine similarity. */
const plainlyBetter = 0.15

/** A few faces score lower than the whole track of the same person. A span that is lower than the threshold by more than this shows somebody else. */
const spanMargin = 0.15

/** Those that match first, then by score. */
export function compareTracks(a: ScoredTrack, b: ScoredTrack): number {
  return Number(b.isMatch) - Number(a.isMatch) || b.score - a.score || a.trackId - b.trackId
}

/**
 * The ranges of a clip's tracks, not joined yet. A track or a span that shows somebody else is weak, and left out where weak ones
 * are not asked for.
 * @param spanScoresOf the score of each span of a track
 */
export function rangesOfTracks(
  tracks: readonly ScoredTrack[],
  spanScoresOf: (track: ScoredTrack) => readonly number[],
  { minScore, weakScore }: Pick<SearchOptions, 'minScore' | 'weakScore'>,
): MatchedRange[] {
  return tracks.flatMap((track) => {
    const { trackId, spans, score } = track
    const isWeak = !track.isMatch || tracks.some((best) => isSomebodyElse(track, best, minScore))
    const scores = spanScoresOf(track)
    const least = Math.min(minScore - spanMargin, Math.max(...scores))
    return spans.flatMap(([startS, endS], i) => {
      const range = { startS, endS, trackId, score: scores[i] ?? score }
      if (!isWeak && range.score >= least) return [range]
      return weakScore === undefined ? [] : [{ ...range, weak: true as const }]
    })
  })
}

/**
 * A track that matches a person who was found in the same clip far more certainly, and is not like that one: two people who
 * look alike to a photo are told apart by how both look in the clip.
 */
export const isSomebodyElse = (
  track: Pick<ScoredTrack, 'score' | 'descriptor'>,
  best: Pick<ScoredTrack, 'score' | 'descriptor'>,
  threshold: number,
): boolean =>
  best.score - track.score >= plainlyBetter && dotProduct(best.descriptor, track.descriptor) < threshold

/** Joins those that match, and those that are weak: a weak one makes no match longer. In order of time. */
export function joinByStrength(ranges: readonly MatchedRange[], areAdjacent: Adjacency): MatchedRange[] {
  const ofStrength = (isWeak: boolean) => ranges.filter(({ weak }) => (weak === true) === isWeak)
  return [false, true]
    .flatMap((isWeak) => joinRanges(ofStrength(isWeak), areAdjacent))
    .sort((a, b) => a.startS - b.startS || a.endS - b.endS)
}
