import { dotProduct } from '../../pipeline/data/vector-math.js'
import type { Archive } from '../archive/open-archive.js'
import { activeSpace } from '../store/meta.js'
import { keptRowsOf } from '../store/kept-rows.js'
import { presentPath } from '../store/present-path.js'
import {
  createTrackHits,
  type StoredTrack,
  type TrackHits,
  type UnreadableTrack,
} from '../store/track-hits.js'
import type { WholeRows } from '../store/whole-rows.js'
import type { ClipMatch } from './clip-match.js'
import { clipAdjacencyReader } from './clip-adjacency.js'
import type { Adjacency } from './join-ranges.js'
import { compareTracks, joinByStrength, rangesOfTracks, type ScoredTrack } from './scored-tracks.js'
import { isSure as isSureOf, noVerdicts } from '../identities/verdicts.js'
import type { AskedPerson } from './asked-person.js'
import { lowestScore, thresholdOf, type SearchOptions } from './search-options.js'
import { createSpanScores, type SpanScores } from './span-scores.js'

export interface DescribedClip {
  readonly clip: ClipMatch
  /** True if one of its tracks reaches the threshold. */
  readonly isMatch: boolean
}

/** Builds the search result for single clips. All methods are synchronous. */
export class ClipDescriber {
  readonly #archive: Archive
  readonly #rows: WholeRows
  /** L2-normalised. */
  readonly #query: Float32Array
  readonly #options: SearchOptions
  readonly #hits: TrackHits
  readonly #spanScores: SpanScores
  readonly #adjacencyOf: (clipId: string) => Adjacency
  readonly #pathsOf: (clipId: string) => readonly string[]

  constructor(archive: Archive, rows: WholeRows, query: Float32Array, options: SearchOptions) {
    this.#archive = archive
    this.#rows = rows
    this.#query = query
    this.#options = options
    this.#hits = createTrackHits(archive.database, activeSpace(archive.database)?.spaceId ?? 0)
    this.#spanScores = createSpanScores(archive.recipe, this.#hits, query)
    this.#adjacencyOf = clipAdjacencyReader(archive, this.#hits)
    const scope = archive.visible?.paths.startsJson ?? 'of all'
    this.#pathsOf = keptRowsOf(archive.database).of(`paths ${scope}`, (clipId) =>
      archive.files.pathsOf(clipId),
    )
  }

  /**
   * Of a clip whose own rows are whole. Undefined where none of its tracks is like the query, it is out of
   * scope, or it is not known where it lies.
   */
  describe(clipId: string): DescribedClip | undefined {
    const tracks = this.tracksOf(clipId)
    const [best] = tracks
    if (best === undefined) return undefined
    const paths = this.#pathsOf(clipId)
    if (this.#options.isInScope?.(clipId, paths) === false) return undefined
    const place = presentPath(paths)
    if (place === undefined) {
      // In a part of the archive it has just been moved away; in the whole of it, its rows are damaged.
      if (this.#archive.visible === undefined) this.#rows.note({ clipId, what: 'paths' })
      return undefined
    }
    const ranges = rangesOfTracks(
      tracks,
      ({ trackId, spans, score }) => this.#spanScores(trackId, spans, score),
      this.#options,
    )
    const clip: ClipMatch = {
      clipId,
      ...place,
      score: best.score,
      ...(tracks.some(({ isConfirmed }) => isConfirmed === true) ? { confirmed: true as const } : {}),
      durationS: this.#hits.durationOf(clipId),
      ranges: joinByStrength(ranges, this.#adjacencyOf(clipId)),
      faces: this.#hits.facesOf(best.trackId),
      thumbnailJpeg: this.#options.thumbnails === false ? undefined : this.#hits.thumbnailOf(best.trackId),
    }
    return { clip, isMatch: best.isMatch }
  }

  /** The intact tracks of a clip that are reported. Matches come first, each group best first. */
  tracksOf(clipId: string): ScoredTrack[] {
    return this.#hits
      .tracksOf(clipId)
      .flatMap((track) => this.#score(clipId, track) ?? [])
      .sort(compareTracks)
  }

  /** Returns undefined if the track is damaged, not similar to the query, or was rejected. */
  #score(clipId: string, track: StoredTrack | UnreadableTrack): ScoredTrack | undefined {
    if ('damaged' in track) {
      this.#rows.note({ clipId, trackId: track.trackId, what: track.damaged })
      return undefined
    }
    const { trackId, spans, descriptor } = track
    const { verdicts = noVerdicts, rivals = [] } = this.#options
    if (verdicts.rejected.has(trackId)) return undefined
    const isConfirmed = verdicts.confirmed.has(trackId)
    const score = dotProduct(this.#query, descriptor)
    const isSure = isSureOf(verdicts, trackId)
    if ((!isSure && score < lowestScore(this.#options)) || !this.#rows.isWholeTrack(trackId, clipId))
      return undefined
    if (!isConfirmed && rivals.some((rival) => isRivals(rival, { trackId, descriptor, score, isSure })))
      return undefined
    const isMatch = isSure || score >= thresholdOf(descriptor, this.#options)
    return {
      ...{ trackId, descriptor, score, isMatch, isConfirmed, isSure },
      spans,
    }
  }
}

/** True if a track belongs rather to a rival. */
function isRivals(
  { query, verdicts = noVerdicts }: AskedPerson,
  {
    trackId,
    descriptor,
    score,
    isSure,
  }: Required<Pick<ScoredTrack, 'trackId' | 'descriptor' | 'score' | 'isSure'>>,
): boolean {
  if (verdicts.rejected.has(trackId)) return false
  if (verdicts.confirmed.has(trackId)) return true
  return !isSure && (verdicts.members.has(trackId) || dotProduct(query, descriptor) > score)
}
