import { poolEmbeddings } from '../../pipeline/describe/pool.js'
import { spaceDigestOf } from '../../pipeline/recipe/recipe.js'
import type { Archive } from '../archive/open-archive.js'
import { toUint16 } from '../store/blobs.js'
import { dotProduct } from '../../pipeline/data/vector-math.js'

type SpanS = readonly [startS: number, endS: number]

interface FaceRow {
  readonly timeS: number
  readonly quality: number
  readonly vector: Uint8Array
}

/**
 * How alike each span of a track is to a query, by the stored faces that were seen in it, pooled as those of the whole track
 * are. A span without one of the K best faces has the score of the track, and so has every span where a head describes tracks.
 * @param query L2-normalised descriptor
 */
export function createSpanScores({ database, recipe }: Archive, query: Float32Array) {
  const select = database.prepare<[number, string], FaceRow>(
    `SELECT time_s AS timeS, quality, vector FROM faces JOIN embeddings USING (face_id)
     WHERE track_id = ? AND embedder = ? ORDER BY face_id`,
  )
  const isPooled = recipe !== undefined && recipe.spaceDigest === spaceDigestOf(recipe.embedderDigest)
  return (trackId: number, spans: readonly SpanS[], trackScore: number): number[] => {
    if (!isPooled || spans.length === 1) return spans.map(() => trackScore)
    const faces = select.all(trackId, recipe.embedderDigest)
    return spans.map(([startS, endS]) => {
      const seen = faces.filter(({ timeS }) => timeS >= startS && timeS <= endS)
      if (seen.length === 0) return trackScore
      const embeddings = seen.map(({ quality, vector }) => ({ quality, float16: toUint16(vector) }))
      return dotProduct(query, poolEmbeddings(embeddings, query.length))
    })
  }
}
