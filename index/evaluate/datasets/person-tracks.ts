import { normaliseAt } from '../../../pipeline/training/face-columns.js'
import { inputDimension } from '../../../pipeline/describe/pooled-input.js'
import type { FeatureSet } from '../data/feature-set.js'

/** First and last track (exclusive) of each clip. */
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

/** Rounds in which a person's tracks and their centre are found from each other; they rarely change after two. */
const rounds = 4

/**
 * Ground truth names clips, not tracks, and clips show bystanders: for each clip of one person the track that is the
 * person's. Begins with the track that is seen best and longest in each clip; then takes, clip after clip, the one nearest to
 * the centre of the others, until nothing changes. One clip after the other, since taking all anew at once can go round in a
 * circle. A single clip keeps the track that is seen best. Clips without a track have none.
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

/** The first of those with the highest score. */
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

/** The L2-normalised sum of some rows. */
export function centreOf(rows: Float32Array, dimension: number, chosen: readonly number[]): Float32Array {
  const centre = new Float32Array(dimension)
  for (const row of chosen) addRow(centre, rows, row, 1)
  normaliseAt(centre, 0, dimension)
  return centre
}
