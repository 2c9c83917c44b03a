import { poolEmbeddings } from '../../pipeline/describe/pool.js'
import { dotProduct } from '../../pipeline/data/vector-math.js'
import { spaceDigestOf } from '../../pipeline/recipe/recipe.js'
import type { ArchiveRecipe } from '../store/meta.js'
import type { TrackHits } from '../store/track-hits.js'

type SpanS = readonly [startS: number, endS: number]

/** Returns the cosine similarity of each span of a track to the query. The whole track has `trackScore`. */
export type SpanScores = (trackId: number, spans: readonly SpanS[], trackScore: number) => number[]

/**
 * Scores each span of a track by the stored faces seen in it, pooled like those of the whole track. A span without
 * one of the K best faces has the score of the track. If a head computes the descriptors, every span has the score of
 * the track.
 * @param query L2-normalised descriptor
 */
export function createSpanScores(
  recipe: Pick<ArchiveRecipe, 'spaceDigest' | 'embedderDigest'> | undefined,
  hits: Pick<TrackHits, 'embeddingsOf'>,
  query: Float32Array,
): SpanScores {
  const isPooled = recipe !== undefined && recipe.spaceDigest === spaceDigestOf(recipe.embedderDigest)
  return (trackId, spans, trackScore) => {
    if (!isPooled || spans.length === 1) return spans.map(() => trackScore)
    const faces = hits.embeddingsOf(trackId, recipe.embedderDigest)
    return spans.map(([startS, endS]) => {
      const seen = faces.filter(({ timeS }) => timeS >= startS && timeS <= endS)
      return seen.length === 0 ? trackScore : dotProduct(query, poolEmbeddings(seen, query.length))
    })
  }
}
