import { toFloat32 } from './blobs.js'
import { isWhole } from './checksum.js'
import { parseSpans } from './clip-columns.js'
import type { Database } from './sqlite.js'

/** A track as grouping needs it. */
export interface GroupableTrack {
  readonly trackId: number
  readonly label: number
  readonly clipId: string
  /** L2-normalised. */
  readonly descriptor: Float32Array
  readonly quality: number
  readonly spansS: readonly (readonly [startS: number, endS: number])[]
}

interface Row {
  readonly trackId: number
  readonly label: number
  readonly clipId: string
  readonly vector: Uint8Array
  readonly quality: number
  readonly spans: string
}

/** Number of tracks read at once: 2 MB at 512 dimensions. */
const pageSize = 1024

/**
 * The whole tracks of a space, page by page, in order of labels. Tracks that are written meanwhile may be among them or not.
 */
export function* groupableTracks(
  database: Database,
  spaceId: number,
): Generator<readonly GroupableTrack[], void, undefined> {
  const select = database.prepare<[number, number, number], Row>(
    `SELECT track_id AS trackId, label, clip_id AS clipId, vector, quality, spans
     FROM descriptors JOIN tracks USING (track_id)
     WHERE label > ? AND +space_id = ? AND ${isWhole('descriptors')} AND ${isWhole('tracks')} ORDER BY label LIMIT ?`,
  )
  for (let after: number | undefined = -1; after !== undefined;) {
    const rows = select.all(after, spaceId, pageSize)
    yield rows.map(({ vector, spans, ...row }) => ({
      ...row,
      descriptor: toFloat32(vector),
      spansS: parseSpans(spans),
    }))
    after = rows.length < pageSize ? undefined : rows.at(-1)?.label
  }
}
