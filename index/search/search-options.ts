import type { ScopeTest } from './clip-scope.js'
import type { Company } from './company.js'
import type { HiddenMatch } from './hidden-match.js'

export interface SearchOptions {
  /** How many clips at the most. */
  readonly top: number
  /** Cosine similarity from which a track matches. */
  readonly minScore: number
  /** Tracks from this score on, below `minScore`, are told as weak; none where it is absent. */
  readonly weakScore?: number | undefined
  /** Where the face that is asked for is hidden in part. */
  readonly hidden?: HiddenMatch | undefined
  /** A clip that is left out of the answer. */
  readonly excludeClipId?: string | undefined
  /** Descriptors of others, L2-normalised: a track that is more like one of them is not the person's. */
  readonly rivals?: readonly Float32Array[] | undefined
  /** With whom the person must be seen. */
  readonly company?: Company | undefined
  /** Which clips may be in the answer; all where it is absent. */
  readonly isInScope?: ScopeTest | undefined
}

/** The score from which a track is looked at. */
export const lowestScore = ({
  minScore,
  weakScore = minScore,
}: Pick<SearchOptions, 'minScore' | 'weakScore'>): number => Math.min(minScore, weakScore)

/** The score from which a track with this descriptor matches. */
export const thresholdOf = (
  descriptor: Float32Array,
  { minScore, hidden }: Pick<SearchOptions, 'minScore' | 'hidden'>,
): number => (hidden?.isHidden(descriptor) === true ? Math.max(minScore, hidden.threshold) : minScore)
