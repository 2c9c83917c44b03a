import type { DamagedThing } from '../../index/archive/damaged-things.js'
import type { ClipCoverage } from '../../index/coverage/read-coverage.js'
import type { CoverageSum } from '../../index/coverage/sum-coverage.js'
import type { ClipMatch } from '../../index/search/clip-match.js'
import type { Prior } from '../../index/search/match-probability.js'
import type { MatchThreshold } from '../../index/search/match-threshold.js'
import type { AskedQuery, Query, Subject } from '../../index/search/read-query.js'
import type { Hit, SearchReport } from '../../index/search/search-archive.js'
import type { FilledArchive } from '../../index/archive/open-archive.js'
import { questionOfGroup } from '../../index/people/question-of-group.js'
import type { CallOptions } from './options.js'

/** The person to search for: the face of a photo, a person of a clip, an enrolled name, or somebody in the archive. */
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
      /** The enrolled name. */
      readonly name: string
    }
  | {
      /** A track of the archive. */
      readonly track: number
    }
  | {
      /** A person into whom tracks were grouped; see `Cameo.people`. */
      readonly person: number
    }
  | {
      /** Somebody who was found by `Cameo.lookAt`. */
      readonly question: Query
    }

/** The person to search for, and what counts as a match. */
export type SearchQuery = Whom & {
  /** Largest number of clips. Default: 20. */
  readonly top?: number
  /**
   * Cosine similarity, −1..1, from which a track matches. Default: chosen by the calibration of the models;
   * see `expectFalse`.
   */
  readonly minScore?: number
  /** Expected number of matching tracks that show other people. Default: 1. */
  readonly expectFalse?: number
  /**
   * Expected number of tracks in the archive that show the person: the prior of the probabilities. Default:
   * 1.
   */
  readonly expectAppearances?: number
  /** Also return clips with a similarity below the threshold. Default: false. */
  readonly weak?: boolean
  /** Add the pictures of matches. Default: true. */
  readonly thumbnails?: boolean
  /** Leave the query clip out of the answer. Default: false. */
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
   * Besides that, only clips with a file below one of these folders and URLs, and only these files of them: the answer is that of
   * an archive with nothing else. An empty list: no clip. Absent: all clips.
   */
  readonly folders?: readonly string[]
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
  /**
   * Probability 0..1 that the clip shows the person; undefined if the models are not calibrated, or if the
   * archive has a head.
   */
  readonly probability: number | undefined
  /** The parts of the clip that were not looked at; undefined if all of it was. */
  readonly unseen: ClipCoverage | undefined
}

/** The answer to a search, and the data behind it. */
export interface SearchResult {
  /** The query, and the other people in the query photo or clip. */
  readonly query: AskedQuery
  /** Distinct clips, best first. */
  readonly matches: readonly FoundClip[]
  /** Clips below the threshold, best first. They are not matches. Empty unless `weak` is set. */
  readonly weak: readonly FoundClip[]
  readonly threshold: MatchThreshold
  /** Prior of the probabilities; undefined if there are none. */
  readonly prior: Prior | undefined
  /** Number of tracks searched. */
  readonly tracksSearched: number
  /** How much of the archive's video was looked at. */
  readonly coverage: CoverageSum
  /** Damaged parts of the archive, which are left out. */
  readonly damaged: readonly DamagedThing[]
}

export function subjectOf(whom: Whom, opened: FilledArchive): Subject {
  if ('question' in whom) return { kind: 'question', question: whom.question }
  if ('track' in whom) return { kind: 'track', trackId: whom.track }
  if ('person' in whom) return { kind: 'question', question: questionOfGroup(opened, whom.person) }
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
