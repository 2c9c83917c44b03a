import { normaliseAt } from '../../../pipeline/training/face-columns.js'
import { inputDimension } from '../../../pipeline/describe/pooled-input.js'
import type { FeatureSet } from '../data/feature-set.js'

/** First track of each clip; the next entry is the end (exclusive). */
export function tracksOfClips({
  trackClips,
  clipNames,
}: Pick<FeatureSet, 'trackClips' | 'clipNames'>): Int32Array {
  const first = new Int32Array(clipNames.length + 1)
  for (const clip of trackClips) first[clip + 1] = (first[clip + 1] ?? 0) + 1
  for (let clip = 0; clip < clipNames.length; clip++)
    first[clip + 1] = (first[clip + 1] ?? 0) + (first[clip] ?? 0)
  return first
}

/** Maximum number of rounds in which a person's tracks and their centre are refined. They rarely change after two. */
const rounds = 4

/**
 * Chooses the track of a person in each of the person's clips. Ground truth names clips, not tracks, and clips show
 * bystanders. Starts with the track that is seen best and longest in each clip. Then, for one clip after the other,
 * takes the track nearest to the centre of the others, until nothing changes. (Updating all clips at once can loop
 * forever.) A single clip keeps the track that is seen best. Clips without a track are skipped.
 * @param pooled [tracks, dimension], L2-normalised
 */
export function personTracks(
  features: FeatureSet,
  firstTrack: Int32Array,
  pooled: Float32Array,
  clips: readonly number[],
): number[] {
  const { columns, firstFace, qualities } = features
  const weightOf = (track: number) =>
    qualities.subarray(firstFace[track], firstFace[track + 1]).reduce((sum, quality) => sum + quality, 0)
  const candidates = clips
    .map((clip) => {
      const first = firstTrack[clip] ?? 0
      return Array.from({ length: (firstTrack[clip + 1] ?? first) - first }, (_, k) => first + k)
    })
    .filter((tracks) => tracks.length > 0)
  const chosen = candidates.map((tracks) => bestOf(tracks, weightOf))
  if (chosen.length === 1) return chosen
  const sum = new Float32Array(inputDimension(columns))
  for (const track of chosen) addRow(sum, pooled, track, 1)
  for (let round = 0; round < rounds; round++) {
    let changed = false
    for (const [at, tracks] of candidates.entries()) {
      const before = chosen[at] ?? 0
      if (tracks.length === 1) continue
      addRow(sum, pooled, before, -1)
      const nearest = bestOf(tracks, (track) => dotRow(sum, pooled, track))
      addRow(sum, pooled, nearest, 1)
      chosen[at] = nearest
      changed ||= nearest !== before
    }
    if (!changed) break
  }
  return chosen
}

/** The track with the highest score; the first one if several have it. */
function bestOf(tracks: readonly number[], score: (track: number) => number): number {
  return tracks.reduce((best, track) => (score(track) > score(best) ? track : best), tracks[0] ?? 0)
}

function addRow(sum: Float32Array, rows: Float32Array, row: number, weight: number): void {
  const from = row * sum.length
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + weight * (rows[from + i] ?? 0)
}

function dotRow(a: Float32Array, rows: Float32Array, row: number): number {
  const from = row * a.length
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (rows[from + i] ?? 0)
  return sum
}

/** The L2-normalised sum of the chosen rows. */
export function centreOf(rows: Float32Array, dimension: number, chosen: readonly number[]): Float32Array {
  const centre = new Float32Array(dimension)
  for (const row of chosen) addRow(centre, rows, row, 1)
  normaliseAt(centre, 0, dimension)
  return centre
}
