import type { AskedPerson } from './asked-person.js'
import type { ScopeTest } from './clip-scope.js'
import type { Company } from './company.js'
import type { HiddenMatch } from './hidden-match.js'
import type { Verdicts } from '../identities/verdicts.js'

export interface SearchOptions {
  /** Maximum number of clips. */
  readonly top: number
  /** Cosine similarity from which a track matches. */
  readonly minScore: number
  /** Tracks from this score up to `minScore` are reported as weak. If absent, none are. */
  readonly weakScore?: number | undefined
  /** Set if the face of the query is partly hidden. */
  readonly hidden?: HiddenMatch | undefined
  /** What people said about the name that is searched for. */
  readonly verdicts?: Verdicts | undefined
  /** A clip to omit from the answer. */
  readonly excludeClipId?: string | undefined
  /** Others: a track that is more like one of them is not the person's. */
  readonly rivals?: readonly AskedPerson[] | undefined
  /** With whom the person must be seen. */
  readonly company?: Company | undefined
  /** Add the pictures of matches. Default: true. */
  readonly thumbnails?: boolean | undefined
  /** Which clips may be in the answer; all where it is absent. */
  readonly isInScope?: ScopeTest | undefined
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
