import type { TracksToGroup } from './tracks-to-group.js'

/** With fewer tracks, the direction would be that of some person. */
const leastTracks = 100

/**
 * Removes from the descriptors the direction along which they change most with the quality of the face, in place. Blurred faces of
 * all people drift the same way, so without this they are alike because they are blurred. Does nothing with few tracks.
 */
export function removeQualityDirection(
  tracks: Pick<TracksToGroup, 'count' | 'dimension' | 'vectors' | 'qualities'>,
): void {
  const { count, dimension, vectors } = tracks
  if (count < leastTracks) return
  const direction = qualityDirection(tracks)
  if (direction === undefined) return
  for (let row = 0; row < count; row++) {
    const vector = vectors.subarray(row * dimension, (row + 1) * dimension)
    let along = 0
    for (let i = 0; i < dimension; i++) along += (vector[i] ?? 0) * (direction[i] ?? 0)
    let squares = 0
    for (let i = 0; i < dimension; i++) {
      const value = (vector[i] ?? 0) - along * (direction[i] ?? 0)
      vector[i] = value
      squares += value * value
    }
    const length = Math.sqrt(squares)
    if (length > 0) for (let i = 0; i < dimension; i++) vector[i] = (vector[i] ?? 0) / length
  }
}

/** The direction of the covariance of descriptors and quality, [dimension]; undefined if all have one quality. */
export function qualityDirection({
  count,
  dimension,
  vectors,
  qualities,
}: Pick<TracksToGroup, 'count' | 'dimension' | 'vectors' | 'qualities'>): Float64Array | undefined {
  const mean = qualities.reduce((sum, quality) => sum + quality, 0) / count
  const covariance = new Float64Array(dimension)
  for (let row = 0; row < count; row++) {
    const deviation = (qualities[row] ?? 0) - mean
    for (let i = 0, at = row * dimension; i < dimension; i++, at++)
      covariance[i] = (covariance[i] ?? 0) + deviation * (vectors[at] ?? 0)
  }
  const length = Math.sqrt(covariance.reduce((sum, value) => sum + value * value, 0))
  return length < 1e-6 * count ? undefined : covariance.map((value) => value / length)
}
