import { setImmediate } from 'node:timers/promises'
import { createDescriptorStore } from '../store/descriptors.js'
import { groupableTracks } from '../store/grouped-tracks.js'
import type { Space } from '../store/meta.js'
import type { Database } from '../store/sqlite.js'
import type { TracksToGroup } from './tracks-to-group.js'

/** Tracks to group, with the numbers by which archive and index know them. */
export interface ReadTracks extends TracksToGroup {
  readonly trackIds: Float64Array
  /** Ascending. */
  readonly labels: Uint32Array
}

/** Reads every whole track of a space. */
export async function readTracks(database: Database, { spaceId, dimension }: Space): Promise<ReadTracks> {
  const most = createDescriptorStore(database).count(spaceId)
  const vectors = new Float32Array(most * dimension)
  const qualities = new Float32Array(most)
  const clips = new Int32Array(most)
  const trackIds = new Float64Array(most)
  const labels = new Uint32Array(most)
  const firstSpan = new Uint32Array(most + 1)
  const spans: number[] = []
  const clipNumbers = new Map<string, number>()
  let count = 0
  for (const page of groupableTracks(database, spaceId)) {
    for (const { trackId, label, clipId, descriptor, quality, spansS } of page) {
      // Others were added since they were counted.
      if (count === most) break
      const clip = clipNumbers.get(clipId) ?? clipNumbers.size
      clipNumbers.set(clipId, clip)
      vectors.set(descriptor, count * dimension)
      qualities[count] = quality
      clips[count] = clip
      trackIds[count] = trackId
      labels[count] = label
      for (const [startS, endS] of spansS) spans.push(startS, endS)
      firstSpan[++count] = spans.length / 2
    }
    await setImmediate()
  }
  return {
    ...{ count, dimension },
    vectors: vectors.subarray(0, count * dimension),
    qualities: qualities.subarray(0, count),
    clips: clips.subarray(0, count),
    trackIds: trackIds.subarray(0, count),
    labels: labels.subarray(0, count),
    firstSpan: firstSpan.subarray(0, count + 1),
    startsS: Float64Array.from({ length: spans.length / 2 }, (_, i) => spans[2 * i] ?? 0),
    endsS: Float64Array.from({ length: spans.length / 2 }, (_, i) => spans[2 * i + 1] ?? 0),
  }
}
