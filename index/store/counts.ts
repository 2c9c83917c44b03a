import type { Database } from './sqlite.js'

/** Amount of data in an archive. */
export interface ContentCounts {
  readonly clips: number
  readonly tracks: number
  readonly faces: number
  /** Total length of the clips of known length, in seconds. */
  readonly durationS: number
}

export function countContent(database: Database): ContentCounts {
  return (
    database
      .prepare<[], ContentCounts>(
        `SELECT (SELECT count(*) FROM clips) AS clips, (SELECT count(*) FROM tracks) AS tracks,
           (SELECT count(*) FROM faces) AS faces, (SELECT coalesce(sum(duration_s), 0) FROM clips) AS durationS`,
      )
      .get() ?? { clips: 0, tracks: 0, faces: 0, durationS: 0 }
  )
}

/** Counts for all clips of one height. */
export interface HeightCounts {
  readonly heightPx: number
  /** Number of examined frames. */
  readonly frames: number
  /** Number of faces found in them. */
  readonly faces: number
  /** Number of stored embeddings: at most K per track. */
  readonly embeddings: number
}

/** By height, lowest first. */
export function countByHeight(database: Database): HeightCounts[] {
  return database
    .prepare<[], HeightCounts>(
      `SELECT height_px AS heightPx, sum(frames) AS frames, sum(faces) AS faces, sum(embeddings) AS embeddings
       FROM clips JOIN (
         SELECT clip_id, frames, faces, (
           SELECT count(*) FROM tracks JOIN faces USING (track_id) JOIN embeddings USING (face_id)
           WHERE tracks.clip_id = segments.clip_id AND tracks.segment = segments.segment
         ) AS embeddings FROM segments
       ) USING (clip_id) GROUP BY height_px ORDER BY height_px`,
    )
    .all()
}
