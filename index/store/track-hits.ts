import { toFloat32, toUint16 } from './blobs.js'
import type { BoxXyxyPx } from '../../pipeline/data/geometry.js'
import { isWhole } from './checksum.js'
import { parseBox, readSpans } from './clip-columns.js'
import { keptRowsOf } from './kept-rows.js'
import { perConnection } from './per-connection.js'
import type { Database } from './sqlite.js'

/** A track of a clip with its descriptor. */
export interface StoredTrack {
  readonly trackId: number
  /** When it is seen, in order. */
  readonly spans: readonly (readonly [startS: number, endS: number])[]
  /** L2-normalised. */
  readonly descriptor: Float32Array
}

/** A track that cannot be read. */
export interface UnreadableTrack {
  readonly trackId: number
  /** The table of the damaged row. */
  readonly damaged: 'descriptors' | 'tracks'
}

/** A segment and the number of its examined frames. */
export interface StoredSpan {
  readonly startS: number
  readonly endS: number
  readonly frames: number
}

export interface StoredFace {
  readonly timeS: number
  readonly boxXyxyPx: BoxXyxyPx
  readonly quality: number
}

export interface FaceAtTime {
  readonly timeS: number
  readonly quality: number
  /** Half-precision bits, [dimension]. */
  readonly float16: Uint16Array
}

/** The stored data of clips and tracks that a search finds, as they are now. All functions are synchronous. */
export interface TrackHits {
  /** Tracks of a clip that have a descriptor in the space, by number. Their own rows are not checked yet. */
  tracksOf(clipId: string): readonly (StoredTrack | UnreadableTrack)[]
  durationOf(clipId: string): number | undefined
  /** In order of time. */
  segmentsOf(clipId: string, recipe: string): StoredSpan[]
  /** JPEG. */
  thumbnailOf(trackId: number): Uint8Array | undefined
  /** Best first. */
  facesOf(trackId: number): readonly StoredFace[]
  /** Embeddings of a track's faces by one embedder, in storage order. */
  embeddingsOf(trackId: number, embedder: string): FaceAtTime[]
}

const prepareStatements = perConnection((database) => {
  const tracks = database.prepare<
    [string, number],
    { trackId: number; spans: string; vector: Uint8Array; isWhole: number }
  >(
    // `+` keeps SQLite from searching a track's descriptors by space, because all rows of a space share that key.
    `SELECT track_id AS trackId, spans, vector, ${isWhole('descriptors')} AS isWhole
     FROM tracks JOIN descriptors USING (track_id) WHERE clip_id = ? AND +space_id = ? ORDER BY track_id`,
  )
  const duration = database
    .prepare<[string], number | null>('SELECT duration_s FROM clips WHERE clip_id = ?')
    .pluck()
  const segments = database.prepare<[string, string], StoredSpan>(
    `SELECT start_s AS startS, coalesce(end_s, duration_s, start_s) AS endS, frames
     FROM segments JOIN clips USING (clip_id) WHERE clip_id = ? AND recipe = ? ORDER BY segment`,
  )
  const thumbnail = database
    .prepare<[number], Uint8Array>('SELECT jpeg FROM thumbnails WHERE track_id = ?')
    .pluck()
  const faces = database.prepare<[number], Omit<StoredFace, 'boxXyxyPx'> & { readonly box: string }>(
    'SELECT time_s AS timeS, box, quality FROM faces WHERE track_id = ? ORDER BY quality DESC, face_id',
  )
  const embeddings = database.prepare<
    [number, string],
    { timeS: number; quality: number; vector: Uint8Array }
  >(
    `SELECT time_s AS timeS, quality, vector FROM faces JOIN embeddings USING (face_id)
     WHERE track_id = ? AND embedder = ? ORDER BY face_id`,
  )
  return { tracks, duration, segments, thumbnail, faces, embeddings }
})

export function createTrackHits(database: Database, spaceId: number): TrackHits {
  const { tracks, duration, segments, thumbnail, faces, embeddings } = prepareStatements(database)
  const kept = keptRowsOf(database)
  return {
    tracksOf: kept.of(`tracks in space ${spaceId}`, (clipId) =>
      tracks.all(clipId, spaceId).map(({ trackId, spans: column, vector, isWhole }) => {
        if (isWhole === 0) return { trackId, damaged: 'descriptors' }
        const spans = readSpans(column)
        return spans === undefined
          ? { trackId, damaged: 'tracks' }
          : { trackId, spans, descriptor: toFloat32(vector) }
      }),
    ),
    durationOf: kept.of('duration', (clipId) => duration.get(clipId) ?? undefined),
    segmentsOf: (clipId, recipe) => segments.all(clipId, recipe),
    thumbnailOf: (trackId) => thumbnail.get(trackId),
    facesOf: kept.of('faces', (trackId) =>
      faces.all(trackId).map(({ box, ...face }) => ({ ...face, boxXyxyPx: parseBox(box) })),
    ),
    embeddingsOf: (trackId, embedder) =>
      embeddings
        .all(trackId, embedder)
        .map(({ timeS, quality, vector }) => ({ timeS, quality, float16: toUint16(vector) })),
  }
}
