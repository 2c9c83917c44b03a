import type { BoxXyxyPx } from '../../pipeline/data/geometry.js'
import type { Damage } from '../store/damage.js'

/** A stretch of a clip in which the person is seen. */
export interface MatchedRange {
  readonly startS: number
  readonly endS: number
  /** The best matching track of the range. */
  readonly trackId: number
  /** Cosine similarity between the query and the faces seen in the range. */
  readonly score: number
  /** Set if the track does not reach the threshold, so the range is not a match. */
  readonly weak?: true
  /** Set if a person confirmed the track. */
  readonly confirmed?: true
}

/** A face that a descriptor is pooled from. */
export interface ContributingFace {
  readonly timeS: number
  readonly boxXyxyPx: BoxXyxyPx
  readonly quality: number
}

/** Another person of a clip, who was asked for, too. */
export interface OtherPerson {
  readonly name: string
  /** Of the best track, cosine similarity. */
  readonly score: number
  /** In order of time. */
  readonly ranges: readonly MatchedRange[]
}

/** A clip that shows somebody like the query. */
export interface ClipMatch {
  readonly clipId: string
  /** The path of the clip: the first of its paths that exists at the moment. If none exists, the first path. */
  readonly path: string
  /** True if no file of the clip exists. */
  readonly isMissing: boolean
  /** Cosine similarity of the best track. */
  readonly score: number
  readonly durationS: number | undefined
  /** Set if a person confirmed that a track of the clip shows the name that is searched for. */
  readonly confirmed?: true
  /** In order of time. Adjacent matching tracks are joined to one range. Weak tracks are joined separately. */
  readonly ranges: readonly MatchedRange[]
  /** The faces from which the descriptor of the best track is pooled, best first. */
  readonly faces: readonly ContributingFace[]
  /** A JPEG image of the best track. */
  readonly thumbnailJpeg: Uint8Array | undefined
  /** The others who were asked for, in the order given; absent where nobody else was. */
  readonly others?: readonly OtherPerson[]
}

export interface SearchAnswer {
  /** Distinct clips, best first; those with confirmed tracks before the others. Ties are ordered by clip id. */
  readonly matches: readonly ClipMatch[]
  /** Clips in which only weak tracks are similar to the query, in the same order. */
  readonly weak: readonly ClipMatch[]
  /** Number of tracks in the index. */
  readonly tracksSearched: number
  /** Number of neighbours that were examined to find the matches. */
  readonly tracksExamined: number
  /** Rows that were skipped because they are damaged. */
  readonly damage: readonly Damage[]
}
