import { poolEmbeddings } from '../describe/pool.js'
import type { ExtraEmbedding } from '../embed/extra-embedders.js'
import type { BoxXyxyPx, Landmarks5Px } from '../data/geometry.js'
import type { FaceEmbeddings } from '../describe/pooled-input.js'
import { unitOf, type Embedding } from '../data/embedding.js'

/** One of the K best faces of a track. Coordinates in pixels of the displayed clip. */
export interface TrackFace {
  readonly timeS: number
  readonly boxXyxyPx: BoxXyxyPx
  readonly landmarksPx: Landmarks5Px
  readonly detectionScore: number
  /** 0..1, with the norm term. */
  readonly quality: number
  readonly embedding: Embedding
  /** By further embedders, if there are any. */
  readonly extraEmbeddings?: readonly ExtraEmbedding[]
}

/** A face in the form that is pooled into a descriptor. */
export const pooledFace = ({ embedding, quality, extraEmbeddings = [] }: TrackFace): FaceEmbeddings => ({
  ...{ float16: embedding.float16, quality, extraEmbeddings },
})

export const unitVector = ({ embedding }: TrackFace): Float32Array => unitOf(embedding)

/** The pooled embedding of one person's faces, at least one: L2-normalised, weighted by quality. */
export function pooledVector(faces: readonly TrackFace[]): Float32Array {
  return poolEmbeddings(faces.map(pooledFace), faces[0]?.embedding.float16.length ?? 0)
}

/** Best first; the earlier of two equal faces first. */
export const byQuality = (a: TrackFace, b: TrackFace) => b.quality - a.quality || a.timeS - b.timeS

/**
 * The best `count` items, spread over the list: the best of each of `count` equally long parts.
 * @param items in order of time
 */
export function spreadBest<T>(items: readonly T[], count: number, quality: (item: T) => number): T[] {
  if (items.length <= count) return [...items]
  return Array.from({ length: count }, (_, k) => {
    const [from, to] = [k, k + 1].map((part) => Math.round((part * items.length) / count))
    return items.slice(from, to).reduce((best, item) => (quality(item) > quality(best) ? item : best))
  })
}
