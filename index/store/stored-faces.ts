import { toUint16 } from './blobs.js'
import { parseBox } from './clip-columns.js'
import type { Database } from './sqlite.js'

/** A face of a track, without its embeddings. */
export interface StoredFace {
  readonly clipId: string
  readonly trackId: number
  readonly faceId: number
  /** 0..1. */
  readonly quality: number
  readonly timeS: number
  readonly boxXyxyPx: readonly [number, number, number, number]
}

/**
 * Every face under a recipe, by clip and track, the best of each track first. Includes damaged rows. Do not write on
 * this connection until the iterator is done.
 */
export function* facesOfRecipe(database: Database, recipe: string): Generator<StoredFace> {
  const select = database.prepare<[string], Omit<StoredFace, 'boxXyxyPx'> & { readonly box: string }>(
    `SELECT clip_id AS clipId, track_id AS trackId, face_id AS faceId, faces.quality AS quality, time_s AS timeS, box
     FROM tracks JOIN faces USING (track_id)
     WHERE recipe = ? ORDER BY clip_id, track_id, faces.quality DESC, face_id`,
  )
  for (const { box, ...face } of select.iterate(recipe)) yield { ...face, boxXyxyPx: parseBox(box) }
}

/**
 * Every stored embedding of one embedder, in no particular order, half-precision bits. Do not write on this
 * connection until the iterator is done.
 */
export function* embeddingsBy(
  database: Database,
  embedder: string,
): Generator<{ readonly faceId: number; readonly float16: Uint16Array }> {
  const select = database.prepare<[string], { readonly faceId: number; readonly vector: Uint8Array }>(
    'SELECT face_id AS faceId, vector FROM embeddings WHERE embedder = ?',
  )
  for (const { faceId, vector } of select.iterate(embedder)) yield { faceId, float16: toUint16(vector) }
}

/** One embedding of a face of a track. */
export interface TrackEmbedding {
  readonly faceId: number
  readonly quality: number
  readonly embedder: string
  readonly float16: Uint16Array
}

/** Reads every embedding of a track's faces, in the storage order of the faces. */
export function trackEmbeddingsReader(database: Database): (trackId: number) => TrackEmbedding[] {
  const select = database.prepare<
    [number],
    Omit<TrackEmbedding, 'float16'> & { readonly vector: Uint8Array }
  >(
    `SELECT face_id AS faceId, faces.quality AS quality, embedder, vector
     FROM faces JOIN embeddings USING (face_id) WHERE track_id = ? ORDER BY face_id`,
  )
  return (trackId) => select.all(trackId).map(({ vector, ...row }) => ({ ...row, float16: toUint16(vector) }))
}
