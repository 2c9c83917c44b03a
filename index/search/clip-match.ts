import type { BoxXyxyPx } from '../../pipeline/data/geometry.js'
import type { Damage } from '../store/damage.js'

/** A stretch of a clip in which the person is seen. */
export interface MatchedRange {
  readonly startS: number
  readonly endS: number
  /** The best matching track of the range. */
  readonly trackId: number
  /** Cosine similarity of what was seen in the range. */
  readonly score: number
  /** Its track does not reach the threshold: no match. */
  readonly weak?: true
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
  /** Where the clip lies: the first of its paths that is there at the moment, else the first. */
  readonly path: string
  /** No file of the clip is there. */
  readonly isMissing: boolean
  /** Of the best track, cosine similarity. */
  readonly score: number
  readonly durationS: number | undefined
  /** In order of time; adjacent tracks of the match are one range, those that are weak another. */
  readonly ranges: readonly MatchedRange[]
  /** Faces of the best track that its descriptor is pooled from, best first. */
  readonly faces: readonly ContributingFace[]
  /** JPEG of the best track. */
  readonly thumbnailJpeg: Uint8Array | undefined
  /** The others who were asked for, in the order given; absent where nobody else was. */
  readonly others?: readonly OtherPerson[]
}

export interface SearchAnswer {
  /** Distinct clips, best first; ties by clip id. */
  readonly matches: readonly ClipMatch[]
  /** Clips of which only weak tracks are like the query; in the same order, after all matches. */
  readonly weak: readonly ClipMatch[]
  /** Tracks in the index. */
  readonly tracksSearched: number
  /** Neighbours that were looked at to find the matches. */
  readonly tracksExamined: number
  /** What was left out because it is damaged. */
  readonly damage: readonly Damage[]
}
