import { z } from 'zod'
import { defaultSettings } from '../../pipeline/recipe/recipe.js'
import { toFloat32 } from '../store/blobs.js'
import type { Archive } from '../archive/open-archive.js'
import { createSpanScores } from './span-scores.js'
import type { HiddenMatch } from './hidden-match.js'
import { acrossNoGap, adjacencyOf, joinRanges, type Adjacency, type LookedAt } from './join-ranges.js'
import { isWhole } from '../store/checksum.js'
import { activeSpace } from '../store/meta.js'
import { presentPath } from '../store/present-path.js'
import { createWholeRows, memoised, type WholeRows } from '../store/whole-rows.js'
import type { VectorCache } from '../vectors/archive/cached-index.js'
import { searchWidening, type Neighbor, type VectorIndex } from '../vectors/vector-index.js'
import type { MatchedRange, ClipMatch, SearchAnswer } from './clip-match.js'
import { dotProduct } from '../../pipeline/data/vector-math.js'

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
}

/**
 * The clips in which a person appears: the query's nearest tracks, grouped by clip. k grows until `top` distinct clips
 * are found or the neighbours fall below `minScore` (or `weakScore`), so that one talkative clip cannot fill the list. Every hit is
 * checked against the store, and the ranges of a clip count all of its tracks. What is stored of a hit is compared with its
 * checksums: a damaged track is left out, a clip that is itself damaged is left out whole, and both are told.
 * @param query L2-normalised descriptor
 */
export function searchClips(
  archive: Archive,
  index: Pick<VectorIndex, 'search' | 'size'> & Pick<Partial<VectorCache>, 'damagedLabels'>,
  query: Float32Array,
  options: SearchOptions,
): SearchAnswer {
  const rows = createWholeRows(archive.database, index.damagedLabels ?? new Set())
  const describeClip = memoised(clipDescriber(archive, rows, query, options))
  const lowest = lowestScore(options)
  /** Of the best neighbours, until there are enough. */
  function matchesOf(found: readonly Neighbor[]): ReadonlyMap<string, DescribedClip> {
    const matches = new Map<string, DescribedClip>()
    for (const { label, cosineSimilarity } of found) {
      if (cosineSimilarity < lowest || matches.size >= options.top) break
      const clipId = rows.clipOf(label)
      const match =
        clipId === undefined || clipId === options.excludeClipId ? undefined : describeClip(clipId)
      if (match !== undefined && (match.isMatch || options.weakScore !== undefined))
        matches.set(match.clip.clipId, match)
    }
    return matches
  }
  const neighbors = searchWidening(
    index,
    query,
    (found) => (found.at(-1)?.cosineSimilarity ?? -1) < lowest || matchesOf(found).size >= options.top,
  )
  const found = [...matchesOf(neighbors).values()].sort(
    ({ clip: a }, { clip: b }) => b.score - a.score || (a.clipId < b.clipId ? -1 : 1),
  )
  const ofStrength = (wanted: boolean) =>
    found.flatMap(({ clip, isMatch }) => (isMatch === wanted ? clip : []))
  return {
    matches: ofStrength(true),
    weak: ofStrength(false),
    ...{ tracksSearched: index.size, tracksExamined: neighbors.length, damage: rows.damage() },
  }
}

const lowestScore = ({ minScore, weakScore = minScore }: SearchOptions) => Math.min(minScore, weakScore)

interface DescribedClip {
  readonly clip: ClipMatch
  /** One of its tracks reaches the threshold. */
  readonly isMatch: boolean
}

interface TrackRow {
  readonly trackId: number
  readonly spans: string
  readonly vector: Uint8Array
  readonly isWhole: number
}

const spansSchema = z.array(z.tuple([z.number(), z.number()]))
const boxSchema = z.tuple([z.number(), z.number(), z.number(), z.number()])

/** Of a clip whose own rows are whole. */
function clipDescriber(archive: Archive, rows: WholeRows, query: Float32Array, options: SearchOptions) {
  const { database, files, clips, recipe } = archive
  const lowest = lowestScore(options)
  const spaceId = activeSpace(database)?.spaceId ?? 0
  const selectTracks = database.prepare<[string, number], TrackRow>(
    `SELECT track_id AS trackId, spans, vector, ${isWhole('descriptors')} AS isWhole
     FROM tracks JOIN descriptors USING (track_id) WHERE clip_id = ? AND +space_id = ? ORDER BY track_id`,
  )
  const selectDuration = database
    .prepare<[string], number | null>('SELECT duration_s FROM clips WHERE clip_id = ?')
    .pluck()
  const selectSegments = database.prepare<[string, string], LookedAt>(
    `SELECT start_s AS startS, coalesce(end_s, duration_s, start_s) AS endS, frames
     FROM segments JOIN clips USING (clip_id) WHERE clip_id = ? AND recipe = ? ORDER BY segment`,
  )
  const { sampling } = recipe?.settings ?? defaultSettings
  const selectThumbnail = database
    .prepare<[number], Uint8Array>('SELECT jpeg FROM thumbnails WHERE track_id = ?')
    .pluck()
  const selectFaces = database.prepare<[number], { timeS: number; box: string; quality: number }>(
    'SELECT time_s AS timeS, box, quality FROM faces WHERE track_id = ? ORDER BY quality DESC, face_id',
  )

  const spanScores = createSpanScores(archive, query)

  /** The whole tracks of a clip that are shown: those that match first, best first. */
  function tracksOf(clipId: string): ScoredTrack[] {
    const tracks: ScoredTrack[] = []
    for (const { trackId, spans, vector, isWhole } of selectTracks.all(clipId, spaceId)) {
      if (isWhole === 0) {
        rows.note({ clipId, trackId, what: 'descriptors' })
        continue
      }
      const descriptor = toFloat32(vector)
      const score = dotProduct(query, descriptor)
      if (score >= lowest && rows.isWholeTrack(trackId, clipId)) {
        const isMatch = score >= thresholdOf(descriptor, options)
        tracks.push({ trackId, descriptor, score, isMatch, spans: spansSchema.parse(JSON.parse(spans)) })
      }
    }
    return tracks.sort(
      (a, b) => Number(b.isMatch) - Number(a.isMatch) || b.score - a.score || a.trackId - b.trackId,
    )
  }

  function rangesOf(tracks: readonly ScoredTrack[]): MatchedRange[] {
    const { minScore } = options
    const showsWeak = options.weakScore !== undefined
    return tracks.flatMap((track) => {
      const { trackId, spans, score } = track
      const isWeak = !track.isMatch || tracks.some((best) => isSomebodyElse(track, best, minScore))
      const scores = spanScores(trackId, spans, score)
      const least = Math.min(minScore - spanMargin, Math.max(...scores))
      return spans.flatMap(([startS, endS], i) => {
        const range = { startS, endS, trackId, score: scores[i] ?? score }
        if (!isWeak && range.score >= least) return [range]
        return showsWeak ? [{ ...range, weak: true as const }] : []
      })
    })
  }

  return (clipId: string): DescribedClip | undefined => {
    const tracks = tracksOf(clipId)
    const [best] = tracks
    if (best === undefined) return undefined
    const place = presentPath(files.pathsOf(clipId))
    if (place === undefined) {
      rows.note({ clipId, what: 'paths' })
      return undefined
    }
    const run = { clipId, recipe: recipe?.digest ?? '' }
    const areAdjacent = adjacencyOf(sampling, () => selectSegments.all(run.clipId, run.recipe))
    const gaps = clips.gapsOf(run)
    const clip: ClipMatch = {
      clipId,
      ...place,
      score: best.score,
      durationS: selectDuration.get(clipId) ?? undefined,
      ranges: joinByStrength(rangesOf(tracks), acrossNoGap(areAdjacent, gaps)),
      faces: selectFaces
        .all(best.trackId)
        .map(({ timeS, box, quality }) => ({ timeS, boxXyxyPx: boxSchema.parse(JSON.parse(box)), quality })),
      thumbnailJpeg: selectThumbnail.get(best.trackId),
    }
    return { clip, isMatch: best.isMatch }
  }
}

/** From which score a track matches. */
const thresholdOf = (descriptor: Float32Array, { minScore, hidden }: SearchOptions): number =>
  hidden?.isHidden(descriptor) === true ? Math.max(minScore, hidden.threshold) : minScore

interface ScoredTrack {
  readonly trackId: number
  /** L2-normalised. */
  readonly descriptor: Float32Array
  readonly score: number
  readonly isMatch: boolean
  readonly spans: readonly (readonly [startS: number, endS: number])[]
}

/**
 * A track that matches a person who was found in the same clip far more certainly, and is not like that one: two people who
 * look alike to a photo are told apart by how both look in the clip.
 */
const isSomebodyElse = (track: ScoredTrack, best: ScoredTrack, threshold: number): boolean =>
  best.score - track.score >= plainlyBetter && dotProduct(best.descriptor, track.descriptor) < threshold

/** Cosine similarity to the query. */
const plainlyBetter = 0.15

/** A few faces score lower than the whole track of the same person. A span that is lower than the threshold by more than this shows somebody else. */
const spanMargin = 0.15

/** Joins those that match, and those that are weak: a weak one makes no match longer. */
function joinByStrength(ranges: readonly MatchedRange[], areAdjacent: Adjacency): MatchedRange[] {
  const ofStrength = (isWeak: boolean) => ranges.filter(({ weak }) => (weak === true) === isWeak)
  return [false, true]
    .flatMap((isWeak) => joinRanges(ofStrength(isWeak), areAdjacent))
    .sort((a, b) => a.startS - b.startS || a.endS - b.endS)
}
