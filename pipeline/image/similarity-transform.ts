import type { Landmarks5Px, PointPx } from '../data/geometry.js'

/** x' = a·x − b·y + tx, y' = b·x + a·y + ty: rotation, uniform scale and shift. */
export interface Similarity {
  readonly a: number
  readonly b: number
  readonly tx: number
  readonly ty: number
}

/** Where ArcFace expects the five points in a 112×112 crop (InsightFace, `arcface_dst`). */
export const arcfaceTemplate: Landmarks5Px = [
  { x: 38.2946, y: 51.6963 },
  { x: 73.5318, y: 51.5014 },
  { x: 56.0252, y: 71.7366 },
  { x: 41.5493, y: 92.3655 },
  { x: 70.7299, y: 92.2041 },
]

/**
 * The similarity that maps `from` to `to` with the least squared error (Umeyama 1991, without reflection; closed form
 * for the plane).
 */
export function estimateSimilarity(from: readonly PointPx[], to: readonly PointPx[]): Similarity {
  const n = from.length
  const meanFrom = meanPoint(from)
  const meanTo = meanPoint(to)
  let dot = 0
  let cross = 0
  let spread = 0
  for (let i = 0; i < n; i++) {
    const p = from[i]
    const q = to[i]
    if (p === undefined || q === undefined)
      throw new Error('the number of target points must equal the number of source points')
    const px = p.x - meanFrom.x
    const py = p.y - meanFrom.y
    const qx = q.x - meanTo.x
    const qy = q.y - meanTo.y
    dot += px * qx + py * qy
    cross += px * qy - py * qx
    spread += px * px + py * py
  }
  if (spread === 0) return { a: 1, b: 0, tx: meanTo.x - meanFrom.x, ty: meanTo.y - meanFrom.y }
  const a = dot / spread
  const b = cross / spread
  return {
    a,
    b,
    tx: meanTo.x - a * meanFrom.x + b * meanFrom.y,
    ty: meanTo.y - b * meanFrom.x - a * meanFrom.y,
  }
}

export function applySimilarity({ a, b, tx, ty }: Similarity, { x, y }: PointPx): PointPx {
  return { x: a * x - b * y + tx, y: b * x + a * y + ty }
}

export function invertSimilarity({ a, b, tx, ty }: Similarity): Similarity {
  const squared = a * a + b * b
  const inverseA = a / squared
  const inverseB = -b / squared
  return { a: inverseA, b: inverseB, tx: -inverseA * tx + inverseB * ty, ty: -inverseB * tx - inverseA * ty }
}

function meanPoint(points: readonly PointPx[]): PointPx {
  let x = 0
  let y = 0
  for (const point of points) {
    x += point.x
    y += point.y
  }
  return { x: x / points.length, y: y / points.length }
}
