import type { HiddenMatch } from './hidden-match.js'

export interface SearchOptions {
  /** Maximum number of clips. */
  readonly top: number
  /** Cosine similarity from which a track matches. */
  readonly minScore: number
  /** Tracks from this score up to `minScore` are reported as weak. If absent, none are. */
  readonly weakScore?: number | undefined
  /** Set if the face of the query is partly hidden. */
  readonly hidden?: HiddenMatch | undefined
  /** A clip to omit from the answer. */
  readonly excludeClipId?: string | undefined
}

/** The score from which a track is examined. */
export const lowestScore = ({
  minScore,
  weakScore = minScore,
}: Pick<SearchOptions, 'minScore' | 'weakScore'>): number => Math.min(minScore, weakScore)

/** The score from which a track with this descriptor matches. */
export const thresholdOf = (
  descriptor: Float32Array,
  { minScore, hidden }: Pick<SearchOptions, 'minScore' | 'hidden'>,
): number => (hidden?.isHidden(descriptor) === true ? Math.max(minScore, hidden.threshold) : minScore)
