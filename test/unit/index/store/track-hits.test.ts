import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openArchive } from '../../../../index/archive/open-archive.js'
import {
  createTrackHits,
  type StoredTrack,
  type UnreadableTrack,
} from '../../../../index/store/track-hits.js'
import { dotProduct } from '../../../../pipeline/data/vector-math.js'
import { temporaryDir } from '../../../support/cameo.js'
import { flipStored } from '../../../support/flip.js'
import { keyOf, storeClips, storedDimension } from '../../../support/stored-clips.js'

const clipId = '1'.repeat(64)
const { recipe, embedder } = keyOf(clipId, 1)

const readable = (tracks: readonly (StoredTrack | UnreadableTrack)[]) =>
  tracks.flatMap((track) => ('damaged' in track ? [] : track))

describe('the stored data of a hit', () => {
  const archive = storeClips(temporaryDir(), 3)
  const hits = createTrackHits(archive.database, 1)
  // Each clip has two segments of two tracks with two faces.
  const tracks = readable(hits.tracksOf(clipId))

  it('includes the tracks of its clip by number, with their descriptors', () => {
    assert.deepEqual(tracks.map(({ trackId }) => trackId), [5, 6, 7, 8]) // prettier-ignore
    assert.deepEqual(
      tracks.map(({ spans }) => spans),
      [[[0, 2]], [[4, 6]], [[10, 12]], [[14, 16]]],
    )
    for (const { descriptor } of tracks) {
      assert.equal(descriptor.length, storedDimension)
      assert.ok(Math.abs(dotProduct(descriptor, descriptor) - 1) < 1e-6)
    }
    assert.deepEqual(hits.tracksOf('unknown'), [])
    assert.deepEqual(createTrackHits(archive.database, 2).tracksOf(clipId), [], 'none of another space')
  })

  it('includes the segments, the length and the thumbnail', () => {
    assert.deepEqual(hits.segmentsOf(clipId, recipe), [
      { startS: 0, endS: 10, frames: 40 },
      { startS: 10, endS: 20, frames: 40 },
    ])
    assert.deepEqual(hits.segmentsOf(clipId, 'another'), [])
    assert.deepEqual([hits.durationOf(clipId), hits.durationOf('unknown')], [20, undefined])
    assert.equal(hits.thumbnailOf(6)?.[1], 8)
    assert.equal(hits.thumbnailOf(99), undefined)
  })

  it('includes faces, best first, and their embeddings in storage order', () => {
    assert.deepEqual(hits.facesOf(6).map(({ timeS, quality }) => [timeS, quality]), [[4.75, 0.75], [4.25, 0.25]]) // prettier-ignore
    const embeddings = hits.embeddingsOf(6, embedder)
    assert.deepEqual(embeddings.map(({ timeS, quality }) => [timeS, quality]), [[4.25, 0.25], [4.75, 0.75]]) // prettier-ignore
    assert.ok(embeddings.every(({ float16 }) => float16.length === storedDimension))
    assert.deepEqual(hits.embeddingsOf(6, 'another'), [])
  })

  it('says which tracks cannot be read, because of a damaged descriptor or damaged times', () => {
    const copy = storeClips(temporaryDir(), 3)
    const { descriptor } = readable(createTrackHits(copy.database, 1).tracksOf(clipId))[1]!
    copy.database.prepare('UPDATE tracks SET spans = replace(spans, ?, ?) WHERE track_id = 7').run(']]', ']')
    const { dir } = copy
    copy.close()
    flipStored(dir, new Uint8Array(descriptor.buffer, descriptor.byteOffset, descriptor.byteLength), 9, 3)
    const damaged = openArchive(dir)
    const found = createTrackHits(damaged.database, 1).tracksOf(clipId)
    assert.deepEqual(
      found.flatMap((track) => ('damaged' in track ? [[track.trackId, track.damaged]] : [])),
      [
        [6, 'descriptors'],
        [7, 'tracks'],
      ],
    )
    damaged.close()
  })
})
