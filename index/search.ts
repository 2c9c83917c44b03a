import { z } from 'zod'
import type { BoxXyxyPx } from '../pipeline/geometry.js'
import { defaultSettings } from '../pipeline/settings.js'
import { dotProduct } from '../pipeline/embed/embed-faces.js'
import { toFloat32 } from './store/blobs.js'
import type { Archive } from './archive.js'
import { acrossNoGap, adjacencyOf, joinRanges, type LookedAt } from './join-ranges.js'
import type { Database } from './store/database.js'
import { presentPath } from './store/present-path.js'
import { searchWidening, type VectorIndex } from './vector-index.js'

export interface SearchOptions {
  /** How many clips at the most. */
  readonly top: number
  /** Cosine similarity from which a track matches. */
  readonly minScore: number
  /** A clip that is left out of the answer. */
  readonly excludeClipId?: string | undefined
}

export interface MatchedRange {
  readonly startS: number
  readonly endS: number
  /** The best matching track of the range. */
  readonly trackId: number
  /** Cosine similarity. */
  readonly score: number
}

export interface ContributingFace {
  readonly timeS: number
  readonly boxXyxyPx: BoxXyxyPx
  readonly quality: number
}

export interface ClipMatch {
  readonly clipId: string
  /** Where the clip lies: the first of its paths that is there at the moment, else the first. */
  readonly path: string
  /** No file of the clip is there. */
  readonly isMissing: boolean
  /** Of the best track, cosine similarity. */
  readonly score: number
  readonly durationS: number | undefined
  /** In order of time; adjacent tracks of the match are one range. */
  readonly ranges: readonly MatchedRange[]
  /** Faces of the best track that its descriptor is pooled from, best first. */
  readonly faces: readonly ContributingFace[]
  /** JPEG of the best track. */
  readonly thumbnailJpeg: Uint8Array | undefined
}

export interface SearchAnswer {
  /** Distinct clips, best first; ties by clip id. */
  readonly matches: readonly ClipMatch[]
  /** Tracks in the index. */
  readonly tracksSearched: number
  /** Neighbours that were looked at to find the matches. */
  readonly tracksExamined: number
}

/**
 * The clips in which a person appears: the query's nearest tracks, grouped by clip. k grows until `top` distinct clips
 * are found or the neighbours fall below `minScore`, so that one talkative clip cannot fill the list. Every hit is
 * checked against the store, and the ranges of a clip count all of its tracks.
 * @param query L2-normalised descriptor
 */
export function searchClips(
  archive: Archive,
  index: Pick<VectorIndex, 'search' | 'size'>,
  query: Float32Array,
  options: SearchOptions,
): SearchAnswer {
  const clipOf = clipLookup(archive.database)
  const clips = new Set<string>()
  const neighbors = searchWidening(index, query, (found) => {
    clips.clear()
    for (const { label, cosineSimilarity } of found) {
      const clipId = clipOf(label)
      if (cosineSimilarity >= options.minScore && clipId !== undefined && clipId !== options.excludeClipId)
        clips.add(clipId)
    }
    return clips.size >= options.top || (found.at(-1)?.cosineSimilarity ?? -1) < options.minScore
  })
  clips.clear()
  for (const { label, cosineSimilarity } of neighbors) {
    const clipId = cosineSimilarity < options.minScore ? undefined : clipOf(label)
    if (clipId !== undefined && clipId !== options.excludeClipId) clips.add(clipId)
    if (clips.size >= options.top) break
  }
  const describeClip = clipDescriber(archive, query, options.minScore)
  const matches = [...clips]
    .flatMap((clipId) => describeClip(clipId) ?? [])
    .sort((a, b) => b.score - a.score || (a.clipId < b.clipId ? -1 : 1))
  return { matches, tracksSearched: index.size, tracksExamined: neighbors.length }
}

/** Clip of a label; undefined where the track was erased since the index was written. */
function clipLookup(database: Database): (label: number) => string | undefined {
  const select = database
    .prepare<[number], string>('SELECT clip_id FROM descriptors JOIN tracks USING (track_id) WHERE label = ?')
    .pluck()
  const known = new Map<number, string | undefined>()
  return (label) => {
    if (!known.has(label)) known.set(label, select.get(label))
    return known.get(label)
  }
}

interface TrackRow {
  readonly trackId: number
  readonly spans: string
  readonly vector: Uint8Array
}

const spansSchema = z.array(z.tuple([z.number(), z.number()]))
const boxSchema = z.tuple([z.number(), z.number(), z.number(), z.number()])

function clipDescriber({ database, files, clips, recipe }: Archive, query: Float32Array, minScore: number) {
  const selectTracks = database.prepare<[string], TrackRow>(
    `SELECT track_id AS trackId, spans, vector FROM tracks JOIN descriptors USING (track_id)
     JOIN spaces USING (space_id) WHERE clip_id = ? AND active = 1 ORDER BY track_id`,
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
  return (clipId: string): ClipMatch | undefined => {
    const ranges: MatchedRange[] = []
    for (const { trackId, spans, vector } of selectTracks.all(clipId)) {
      const score = dotProduct(query, toFloat32(vector))
      if (score < minScore) continue
      for (const [startS, endS] of spansSchema.parse(JSON.parse(spans)))
        ranges.push({ startS, endS, trackId, score })
    }
    const best = ranges.reduce<MatchedRange | undefined>(
      (a, b) => (a === undefined || b.score > a.score ? b : a),
      undefined,
    )
    const place = presentPath(files.pathsOf(clipId))
    if (best === undefined || place === undefined) return undefined
    const run = { clipId, recipe: recipe?.digest ?? '' }
    const areAdjacent = adjacencyOf(sampling, () => selectSegments.all(run.clipId, run.recipe))
    const gaps = clips.gapsOf(run)
    return {
      clipId,
      ...place,
      score: best.score,
      durationS: selectDuration.get(clipId) ?? undefined,
      ranges: joinRanges(ranges, acrossNoGap(areAdjacent, gaps)),
      faces: selectFaces
        .all(best.trackId)
        .map(({ timeS, box, quality }) => ({ timeS, boxXyxyPx: boxSchema.parse(JSON.parse(box)), quality })),
      thumbnailJpeg: selectThumbnail.get(best.trackId),
    }
  }
}
