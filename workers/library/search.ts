import type { DamagedThing } from '../../index/archive/damaged-things.js'
import type { ClipCoverage } from '../../index/coverage/read-coverage.js'
import type { CoverageSum } from '../../index/coverage/sum-coverage.js'
import type { ClipMatch } from '../../index/search/clip-match.js'
import type { Prior } from '../../index/search/match-probability.js'
import type { MatchThreshold } from '../../index/search/match-threshold.js'
import type { AskedQuery, Subject } from '../../index/search/read-query.js'
import type { Hit, SearchReport } from '../../index/search/search-archive.js'
import type { CallOptions } from './options.js'

/** Whom to search for: the face of a photo, a person of a clip, or an enrolled name. */
export type Whom =
  | {
      /** File of a photo, or of several photos of one person: their faces are pooled by quality. */
      readonly image: string | readonly string[]
      /** Which of the faces of one photo, from 1. Default: the one that the photo is plainly of. */
      readonly face?: number
    }
  | {
      /** File of a clip. */
      readonly clip: string
      /** Which of its people, from 1. Default: its main person. */
      readonly face?: number
    }
  | {
      /** As it is enrolled. */
      readonly name: string
    }

/** Whom to search for, and what counts as found. */
export type SearchQuery = Whom & {
  /** How many clips at the most. Default: 20. */
  readonly top?: number
  /** Cosine similarity, −1..1, from which a track matches. Default: chosen by the calibration of the models; see `expectFalse`. */
  readonly minScore?: number
  /** How many tracks of other people may be expected to match. Default: 1. */
  readonly expectFalse?: number
  /** How many tracks of the archive are expected to show the person: the prior of the probabilities. Default: 1. */
  readonly expectAppearances?: number
  /** Give also clips that are like the person below the threshold. Default: false. */
  readonly weak?: boolean
  /** Leave the clip that is asked with out of the answer. Default: false. */
  readonly excludeSelf?: boolean
  /** Enrolled names of others who must be in the same clip. */
  readonly with?: readonly string[]
  /** Enrolled names of people who must not be in the clip. */
  readonly without?: readonly string[]
  /** All of `with` must be on screen at the same time as the person: the ranges of a match are these times. Default: false. */
  readonly together?: boolean
  /** Only clips with a file below this folder or URL. */
  readonly folder?: string
  /**
   * Only clips of this time or later: when the oldest of a clip's files was last written, or, of a clip that only workers fetched,
   * when it came into the archive.
   */
  readonly since?: Date
  /** Only clips of this time or earlier. */
  readonly until?: Date
} & CallOptions

/** A clip in which the person appears. */
export interface FoundClip extends ClipMatch {
  /** 0..1, that it shows the person; undefined where the models are not calibrated, or a head describes the archive. */
  readonly probability: number | undefined
  /** What of the clip was not looked at; undefined where all of it was. */
  readonly unseen: ClipCoverage | undefined
}

/** The answer to a search, and what it rests on. */
export interface SearchResult {
  /** What was asked, and whom the photo or the clip shows besides. */
  readonly query: AskedQuery
  /** Distinct clips, best first. */
  readonly matches: readonly FoundClip[]
  /** Clips below the threshold, best first: they are no matches. Empty unless they were asked for. */
  readonly weak: readonly FoundClip[]
  readonly threshold: MatchThreshold
  /** Of the probabilities; undefined where there are none. */
  readonly prior: Prior | undefined
  /** Tracks of the archive. */
  readonly tracksSearched: number
  /** How much of the archive's video was looked at. */
  readonly coverage: CoverageSum
  /** What of the archive could not be trusted, and is left out. */
  readonly damaged: readonly DamagedThing[]
}

export function subjectOf(whom: Whom): Subject {
  if ('name' in whom) return { kind: 'name', name: whom.name }
  if ('image' in whom) {
    const { image, face } = whom
    return { kind: 'image', paths: typeof image === 'string' ? [image] : image, face }
  }
  return { kind: 'clip', path: whom.clip, face: whom.face }
}

export function resultOf(report: SearchReport): SearchResult {
  const { query, answer, hits, threshold, prior, coverage, damaged } = report
  const found = ({ match, probability }: Hit): FoundClip => ({
    ...match,
    probability,
    unseen: coverage.unseen.get(match.clipId),
  })
  const { kind, value, face, people, photos, notices, quality, thumbnailJpeg } = query
  return {
    query: {
      ...{ kind, value, quality, thumbnailJpeg },
      ...(face === undefined ? {} : { face }),
      ...(people === undefined ? {} : { people }),
      ...(photos === undefined ? {} : { photos }),
      ...(notices === undefined ? {} : { notices }),
    },
    matches: hits.matches.map(found),
    weak: (hits.weak ?? []).map(found),
    ...{ threshold, prior, damaged },
    tracksSearched: answer.tracksSearched,
    coverage: coverage.sum,
  }
}
