import { toUint16 } from './blobs.js'
import { isWhole } from './checksum.js'
import type { Database } from './sqlite.js'

/** The best face of a track, with its embeddings. */
export interface BestFace {
  readonly quality: number
  readonly embeddings: readonly {
    readonly embedder: string
    readonly norm: number
    /** Half-precision bits. */
    readonly float16: Uint16Array
  }[]
}

/** Reads the best whole face of a track; undefined if it has none. */
export function bestFaceReader(database: Database): (trackId: number) => BestFace | undefined {
  const selectFace = database.prepare<[number], { faceId: number; quality: number }>(
    `SELECT face_id AS faceId, quality FROM faces WHERE track_id = ? AND ${isWhole('faces')}
     ORDER BY quality DESC, face_id LIMIT 1`,
  )
  const selectEmbeddings = database.prepare<[number], { embedder: string; norm: number; vector: Uint8Array }>(
    `SELECT embedder, norm, vector FROM embeddings WHERE face_id = ? AND ${isWhole('embeddings')}`,
  )
  return (trackId) => {
    const face = selectFace.get(trackId)
    if (face === undefined) return undefined
    const embeddings = selectEmbeddings
      .all(face.faceId)
      .map(({ vector, ...row }) => ({ ...row, float16: toUint16(vector) }))
    return { quality: face.quality, embeddings }
  }
}
