import { toUint16 } from './blobs.js'
import { isWhole } from './checksum.js'
import type { Database } from './sqlite.js'

/** The output of a context encoder for one segment of a clip. */
export interface StoredContext {
  readonly clipId: string
  readonly segment: number
  /** Number of encoded frames. Use it as the weight when averaging the segments of a clip. */
  readonly frames: number
  /** Half-precision bits: the mean of the L2-normalised vectors of the frames. The mean is not normalised. */
  readonly vector: Uint16Array
}

/**
 * The context features of one encoder for all finished clips, in order of clip id and segment. The archive's recipe
 * lists the encoders. Skips damaged rows. Do not write on this connection until the iterator is done.
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
