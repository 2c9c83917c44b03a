import { isWhole } from './checksum.js'
import { parseSpans } from './clip-columns.js'
import type { Database } from './sqlite.js'

/** A track, where it is, and its picture. */
export interface OneTrack {
  readonly clipId: string
  /** Of the best face, 0..1. */
  readonly quality: number
  readonly spansS: readonly (readonly [startS: number, endS: number])[]
  /** JPEG; undefined if its row is damaged. */
  readonly thumbnailJpeg: Uint8Array | undefined
}

/** Reads one track. Undefined if the archive does not have it, or if its row is damaged. */
export function readOneTrack(database: Database, trackId: number): OneTrack | undefined {
  const row = database
    .prepare<[number], { clipId: string; quality: number; spans: string; jpeg: Uint8Array | null }>(
      `SELECT tracks.clip_id AS clipId, quality, spans,
              (SELECT jpeg FROM thumbnails WHERE thumbnails.track_id = tracks.track_id AND ${isWhole('thumbnails')}) AS jpeg
       FROM tracks WHERE track_id = ? AND ${isWhole('tracks')}`,
    )
    .get(trackId)
  if (row === undefined) return undefined
  const { clipId, quality, spans, jpeg } = row
  return { clipId, quality, spansS: parseSpans(spans), thumbnailJpeg: jpeg ?? undefined }
}
