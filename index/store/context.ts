import { toUint16 } from './blobs.js'
import { isWhole } from './checksum.js'
import type { Database } from './sqlite.js'

/** What a context encoder made of one segment of a clip. */
export interface StoredContext {
  readonly clipId: string
  readonly segment: number
  /** That were encoded; weights that add segments up to the clip. */
  readonly frames: number
  /** Half-precision bits: the mean of the frames' L2-normalised vectors, not normalised again. */
  readonly vector: Uint16Array
}

/**
 * The context features of one encoder, of the clips that are processed to their end, by clip id and segment; the archive's
 * recipe says which encoders there are. Damaged rows are left out. Nothing may be written on this connection until the iterator is done.
 */
export function* contextFeaturesOf(database: Database, encoderDigest: string): Generator<StoredContext> {
  const select = database.prepare<
    [string],
    { clipId: string; segment: number; frames: number; vector: Buffer }
  >(
    `SELECT clip_id AS clipId, segment, frames, vector FROM context_features JOIN runs USING (clip_id, recipe)
     WHERE encoder = ? AND state <> 'working' AND ${isWhole('context_features')} ORDER BY clip_id, segment`,
  )
  for (const row of select.iterate(encoderDigest)) yield { ...row, vector: toUint16(row.vector) }
}
